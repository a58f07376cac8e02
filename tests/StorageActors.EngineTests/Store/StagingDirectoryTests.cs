using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.EngineTests.Support;
using StorageActors.Protocol;
using StorageActors.Store;
using StorageActors.Trash;
using Xunit;

namespace StorageActors.EngineTests.Store;

public sealed class StagingDirectoryTests : IDisposable
{
    private static readonly LayerId Layer = LayerId.Parse("some-layer");
    private static readonly TicketId Ticket = TicketId.Parse("ticket-1");
    private readonly TestStore _store = new();

    private StoreLayout Layout => _store.Layout;

    [Fact]
    public void A_staged_layer_appears_with_all_it_has_in_one_rename_and_leaves_no_staging()
    {
        Stage("content");
        _store.Run(new CommitLayer(Ticket, null, Durable: true));
        Assert.Null(_store.Run(new EndStaging(Ticket)).Path);
        Assert.Equal("content", File.ReadAllText(Path.Combine(Layout.LayerDirectory(Layer), "diff", "content")));
        Assert.Equal(Layer, LayerFile.Read(Layout.LayerDirectory(Layer), Layer).Id);
        Assert.Empty(Directory.GetFileSystemEntries(Layout.StagingHome));
        Assert.Empty(Directory.GetFileSystemEntries(Layout.TrashHome));
    }

    [Fact]
    public void A_layer_whose_parent_was_removed_meanwhile_is_not_committed()
    {
        Stage("content");
        var refusal = Assert.Throws<PermanentDriverException>(() => _store.Run(new CommitLayer(Ticket, LayerId.Parse("gone"), Durable: true))).Error;
        Assert.Equal(StorageErrorCode.NotFound, refusal.Code);
        Assert.False(Directory.Exists(Layout.LayerDirectory(Layer)));
        Assert.StartsWith(Layout.TrashHome, _store.Run(new EndStaging(Ticket)).Path, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_that_has_the_id_is_never_replaced()
    {
        Directory.CreateDirectory(Layout.LayerDirectory(Layer));
        Stage("content");
        Assert.Equal(StorageErrorCode.AlreadyExists, Assert.Throws<PermanentDriverException>(() => _store.Run(new CommitLayer(Ticket, null, Durable: true))).Error.Code);
        Assert.Empty(Directory.GetFileSystemEntries(Layout.LayerDirectory(Layer)));
    }

    [Fact]
    public void Ending_a_staging_that_never_began_is_no_error() => Assert.Null(_store.Run(new EndStaging(Ticket)).Path);

    [Fact]
    public void A_staging_whose_owner_lives_is_not_swept()
    {
        Stage("content");
        Assert.Empty(_store.Run(new SweepStagings(AtStart: true)));
        Assert.True(Directory.Exists(Layout.StagedLayer(Ticket)));
    }

    [Fact]
    public void A_staging_whose_owner_died_is_swept_as_is_one_without_a_lock_and_a_half_made_image()
    {
        Stage("content");
        _store.Services.Staged.Dispose(); // As the kernel closes a dead process's descriptors.
        Directory.CreateDirectory(Path.Combine(Layout.StagingHome, "no-lock", "layer"));
        Directory.CreateDirectory(Path.Combine(Layout.ImageHome, ".new-123"));
        Assert.Equal(["no-lock", "ticket-1"], _store.Run(new SweepStagings(AtStart: false)));
        Assert.Equal([".new-123"], _store.Run(new SweepStagings(AtStart: true)));
        Assert.Empty(Directory.GetFileSystemEntries(Layout.StagingHome));
        Assert.Equal(3, Directory.GetFileSystemEntries(Layout.TrashHome).Length);
    }

    [Fact]
    public void A_ticket_that_is_in_use_cannot_be_taken_by_another_layer()
    {
        Stage("content");
        Assert.Throws<InvalidOperationException>(() => _store.Services.Staged.Add(Ticket, new LockedStaging(new StagedLayer(Layer, "/x", false), null!)));
    }

    [Fact]
    public void A_layer_that_is_removed_goes_to_the_trash_and_its_id_is_free()
    {
        Stage("content");
        _store.Run(new CommitLayer(Ticket, null, Durable: true));
        var trashed = _store.Run(new RemoveLayer(Layout.Locate(Layer))).Path!;
        Assert.False(Directory.Exists(Layout.LayerDirectory(Layer)));
        Assert.True(File.Exists(Path.Combine(trashed, "diff", "content")));
        Assert.Null(_store.Run(new RemoveLayer(Layout.Locate(Layer))).Path);
    }

    public void Dispose() => _store.Dispose();

    private void Stage(string content)
    {
        var file = Path.Combine(Layout.Root, "..", Path.GetFileName(Layout.Root) + ".tar");
        File.WriteAllText(file, content);
        _store.Run(new BeginLayer(Ticket, Layer, Writable: false, Parents: null));
        _store.Run(new ExtractLayer(Ticket, BlobSource.File(Path.GetFullPath(file)), new StoreProtocol.Expectations(), ExtractionLimits.None, null));
        File.Delete(file);
        _store.Run(new RebaseLayer(Ticket, []));
        _store.Run(new FinishLayer(Ticket, new LayerRecord(
            Layer, null, LayerKind.Sealed, [], new Dictionary<string, string>(StringComparer.Ordinal), DateTimeOffset.UnixEpoch), []));
        _store.Run(new SyncContent([]));
    }
}
