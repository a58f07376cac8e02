namespace Akka.Persistence.Snapshot;

/// <summary>Tells who saves a snapshot that no snapshot store is configured.</summary>
public class NoSnapshotStoreException(string message) : Exception(message);

/// <summary>Finds no snapshot and keeps none.</summary>
public sealed class NoSnapshotStore : SnapshotStore
{
    protected override Task<SelectedSnapshot?> LoadAsync(string persistenceId, SnapshotSelectionCriteria criteria) =>
        Task.FromResult<SelectedSnapshot?>(null);

    protected override Task SaveAsync(SnapshotMetadata metadata, object snapshot) => Refuse();

    protected override Task DeleteAsync(SnapshotMetadata metadata) => Refuse();

    protected override Task DeleteAsync(string persistenceId, SnapshotSelectionCriteria criteria) => Refuse();

    private static Task Refuse() => Task.FromException(new NoSnapshotStoreException(
        "No snapshot store is configured: set akka.persistence.snapshot-store.plugin"));
}
