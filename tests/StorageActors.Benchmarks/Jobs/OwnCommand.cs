namespace StorageActors.Benchmarks.Jobs;

/// <summary>Our command as a user starts it: it is built and copied beside this program.</summary>
internal static class OwnCommand
{
    internal static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "command", "storage-actors");
}
