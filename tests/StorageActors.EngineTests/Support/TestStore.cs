using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.Store;
using StorageActors.TestSupport;
using StorageActors.Transfers;

namespace StorageActors.EngineTests.Support;

/// <summary>A store on disk, without actors: what operations run on.</summary>
internal sealed class TestStore : IDisposable
{
    private readonly TempDirectory _directory;

    /// <param name="parent">Where its root is made; null for the usual place.</param>
    /// <param name="open">Opens the driver on a root; null for one that does next to nothing.</param>
    internal TestStore(string? parent = null, Func<string, ILayerDriver>? open = null)
    {
        _directory = new TempDirectory(parent);
        var driver = open?.Invoke(_directory.Path) ?? new StubDriver();
        Layout = StoreRoot.Open(_directory.Path, driver.Name, () => driver.Name).Layout;
        Services = new DriverServices(
            driver, Layout, new StoreLock(Layout.StoreLock, Metrics, TimeProvider.System), Metrics, new TransferTable(TimeProvider.System), new StagedLayers(), TimeProvider.System);
    }

    internal StoreLayout Layout { get; }

    internal StoreMetrics Metrics { get; } = new();

    internal DriverServices Services { get; }

    /// <summary>Runs an operation on this thread.</summary>
    internal T Run<T>(DriverOperation<T> operation) => operation.Execute(Services, CancellationToken.None);

    public void Dispose()
    {
        Services.Staged.Dispose();
        Services.Transfers.Dispose();
        Services.Lock.Dispose();
        Services.Driver.Dispose();
        Metrics.Dispose();
        _directory.Dispose();
    }
}
