using System.Text;
using Akka.Configuration;
using StorageActors.Drivers;
using StorageActors.Engine;
using StorageActors.EngineTests.Support;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>
/// A whole store over <see cref="DirectoryDriver"/>: every message is serialized, the journal is a real one. An engine may be started again on the same
/// root. When the test is over, a store that is at rest must hold nothing but its layers.
/// </summary>
public abstract class StoreTest : IDisposable
{
    private TempDirectory _directory = new();
    private int _files;

    internal DirectoryWorld World { get; } = new();

    protected string Root => _directory["store"];

    protected string Elsewhere => _directory.Path;

    internal Task<StorageEngine> StartAsync(string settings = "", DriverCapabilities capabilities = DirectoryDriver.All) =>
        StorageEngine.StartAsync(Configure(settings), (_, store) => Open(store.Root, capabilities));

    /// <summary>For a test that wants a file system of which much is known, whatever that of temporary files is; before anything else.</summary>
    protected void LieOnTmpfs()
    {
        RequiredTiers.SkipUnless(Directory.Exists("/dev/shm") && Libc.StatFs("/dev/shm").Type == FsMagic.Tmpfs, "tools", "needs a tmpfs at /dev/shm");
        _directory.Dispose();
        _directory = new TempDirectory("/dev/shm");
    }

    /// <summary>The configuration of an engine in a test.</summary>
    internal Config Configure(string settings = "") => ConfigurationFactory.ParseString($$"""
        akka.actor.serialize-messages = on
        akka.stdout-loglevel = WARNING
        akka.loglevel = WARNING
        akka.logger-startup-timeout = 120s
        storage-actors.drain-timeout = 120s
        storage-actors.root = "{{Root}}"
        storage-actors.staging.parallelism = 4
        storage-actors.retry.pause = 10ms
        {{settings}}
        """);

    /// <summary>A driver on the store's home, in the world of this test.</summary>
    internal ILayerDriver Open(string root, DriverCapabilities capabilities = DirectoryDriver.All) =>
        new DirectoryDriver(Directory.CreateDirectory(Path.Combine(root, "directories", "l")).FullName, World, capabilities);

    /// <summary>A blob with a text.</summary>
    protected BlobSource Blob(string text)
    {
        var path = _directory[$"blob-{Interlocked.Increment(ref _files)}"];
        File.WriteAllText(path, text);
        return BlobSource.File(path);
    }

    /// <summary>A layer to be applied; <paramref name="known"/> says its digest beforehand, as a manifest does.</summary>
    protected StoreProtocol.ChainItem Item(string text, string? id = null, string? name = null, bool known = false, TicketId? ticket = null) => new(
        Blob(text),
        new StoreProtocol.LayerSpec(id is null ? null : LayerId.Parse(id), name is null ? null : [name]),
        new StoreProtocol.Expectations(known ? DiffOf(text) : null),
        ticket);

    /// <summary>A command that applies layers of these texts, one on the other.</summary>
    protected StoreProtocol.Apply Chain(params string[] texts) => new(null, [.. texts.Select(text => Item(text))]);

    protected static Digest DiffOf(string text) => Digest.Of(Encoding.UTF8.GetBytes(text));

    protected static async Task<StorageErrorCode> RefusedAsync(Task command) => (await Assert.ThrowsAsync<StorageException>(() => command)).Error.Code;

    /// <summary>Null for a success.</summary>
    protected static async Task<StorageErrorCode?> OutcomeAsync(Task command)
    {
        try
        {
            await command;
            return null;
        }
        catch (StorageException e)
        {
            return e.Error.Code;
        }
    }

    /// <summary>What lies in one of the store's directories.</summary>
    protected string[] In(string directory) =>
        [.. Directory.EnumerateFileSystemEntries(Path.Combine(Root, directory)).Select(Path.GetFileName).Where(static name => name != "l").Order(StringComparer.Ordinal)!];

    /// <summary>Nothing is staged, and nothing outside of layers is left. What was cut off without an answer may need a moment to put its things away.</summary>
    protected async Task AssertAtRestAsync(StorageEngine engine)
    {
        using var late = new CancellationTokenSource(Patient.Limit);
        while (In("staging") is { Length: > 0 } left)
        {
            Assert.False(late.IsCancellationRequested, "still staged: " + string.Join(", ", left));
            await Task.Delay(10);
        }

        var layers = await engine.Client.ListLayersAsync();
        Assert.Equal(layers.Select(static layer => layer.Id.Value).Order(StringComparer.Ordinal), In("directories"));
        Assert.Equal(layers.Select(static layer => "link-" + layer.Id.Value).Order(StringComparer.Ordinal), In("directories/l"));
    }

    public void Dispose()
    {
        _directory.Dispose();
        GC.SuppressFinalize(this);
    }
}
