using StorageActors.Benchmarks.Compare;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>Runs of a program that each need a fresh directory.</summary>
internal static class PeerRun
{
    internal static Contestant Contestant(Stage stage, string name, Action<string> work)
    {
        var home = "";
        return new Contestant(name, () =>
        {
            work(home);
            return Task.CompletedTask;
        })
        {
            BeforeAsync = () =>
            {
                home = stage.NewDirectory();
                return Task.CompletedTask;
            },
            AfterAsync = () =>
            {
                stage.Delete(home);
                return Task.CompletedTask;
            },
        };
    }
}
