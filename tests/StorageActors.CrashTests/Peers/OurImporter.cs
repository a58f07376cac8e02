using System.Diagnostics;
using StorageActors.CrashTests.Checking;
using StorageActors.CrashTests.Workload;
using StorageActors.Engine;
using StorageActors.Protocol;

namespace StorageActors.CrashTests.Peers;

/// <summary>This store, by a process with an engine of its own.</summary>
internal sealed class OurImporter(string root) : IImporter
{
    private static readonly StoreKind Kind = new("full", StoreKind.Never);

    public string Name => "storage-actors";

    public ProcessStartInfo Import(string tar, string id)
    {
        var start = new ProcessStartInfo("dotnet") { UseShellExecute = false };
        foreach (var argument in (string[])["exec", typeof(OurImporter).Assembly.Location, "apply", root, tar, id]) start.ArgumentList.Add(argument);
        start.Environment["DOTNET_EnableDiagnostics"] = "0";   // It is killed, and would leave the runtime's sockets behind.
        return start;
    }

    public async Task<(IReadOnlyList<string> Whole, IReadOnlyList<string> Unusable, IReadOnlyList<string> Leftovers)> LookAsync(Digest expected)
    {
        var engine = await StorageEngine.StartAsync(WorkloadProgram.Configure(root, Kind, "OFF")).ConfigureAwait(false);
        await using var stopping = engine.ConfigureAwait(false);
        var (whole, unusable, leftovers) = (new List<string>(), new List<string>(), new List<string>());
        foreach (var layer in await engine.Client.ListLayersAsync().ConfigureAwait(false))
        {
            try
            {
                var written = await engine.Client.WriteDiffAsync(layer.Id, Stream.Null).ConfigureAwait(false);
                (written.DiffId == expected ? whole : unusable).Add(layer.Id.Value);
            }
            catch (StorageException)
            {
                unusable.Add(layer.Id.Value);
            }
        }

        await Leftovers.FindAsync(engine, new Inspection(root, Kind, IsSameKernel: true), leftovers).ConfigureAwait(false);
        foreach (var layer in whole) await engine.Client.RemoveAsync(LayerId.Parse(layer)).ConfigureAwait(false);
        return (whole, unusable, leftovers);
    }

    public void Dispose()
    {
        // An import mounts nothing.
    }

    /// <summary>The process that is killed: applies one layer.</summary>
    internal static async Task<int> ApplyAsync(string root, string tar, string id)
    {
        var engine = await StorageEngine.StartAsync(WorkloadProgram.Configure(root, Kind, "OFF")).ConfigureAwait(false);
        await using var stopping = engine.ConfigureAwait(false);
        var item = new StoreProtocol.ChainItem(BlobSource.File(tar), new StoreProtocol.LayerSpec(LayerId.Parse(id)), new StoreProtocol.Expectations());
        await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, new[] { item })).ConfigureAwait(false);
        return 0;
    }
}
