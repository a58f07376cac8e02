using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.Store;
using StorageActors.TestSupport;
using StorageActors.Transfers;

namespace StorageActors.EngineTests.Support;

/// <summary>A store on disk, without actors: what operations run on.</summary>
internal sealed class TestStore : IDisposable
{
    private readonly TempDirectory _directory = new();

    internal TestStore(ILayerDriver? driver = null)
    {
        driver ??= new StubDriver();
        Layout = StoreRoot.Open(_directory.Path, null, () => driver.Name).Layout;
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
        Metrics.Dispose();
        _directory.Dispose();
    }
}
