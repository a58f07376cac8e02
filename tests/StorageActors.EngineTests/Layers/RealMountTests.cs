using Akka.Actor;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.EngineTests.Support;
using StorageActors.Layers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Store;
using StorageActors.TestSupport;
using StorageActors.Trash;
using Xunit;

namespace StorageActors.EngineTests.Layers;

/// <summary>Layers' actors on the overlay driver, on a real file system: what the kernel thinks of it.</summary>
public sealed class RealMountTests() : EngineTest()
{
    private static readonly LayerId Base = LayerId.Parse("base");
    private static readonly LayerId Top = LayerId.Parse("top");
    private static readonly TimeSpan Patience = Patient.Limit;
    private TestStore? _store;
    private IActorRef? _operations;
    private IActorRef? _layers;

    private TestStore Store => _store!;

    private LayerSetup Setup => new(Store.Layout.Locate(Top), [Store.Layout.Locate(Base)], LayerKind.Writable, DateTimeOffset.UnixEpoch);

    [SkippableFact]
    public void A_layer_is_mounted_for_its_holders_and_unmounted_after_the_last()
    {
        Open();
        var path = Acquire("one").MountPath;
        Assert.Equal(path, Acquire("two").MountPath);
        Assert.True(Libc.Stat(path).IsMountRoot);
        Assert.True(File.Exists(Path.Combine(path, "from-base")));
        File.WriteAllText(Path.Combine(path, "written"), "by a holder");
        Assert.Equal(1, Release("one").LeasesLeft);
        Assert.True(Libc.Stat(path).IsMountRoot);
        Assert.Equal(0, Release("two").LeasesLeft);
        Assert.False(Libc.Stat(path).IsMountRoot);
        Assert.Equal("by a holder", File.ReadAllText(Path.Combine(Store.Layout.LayerDirectory(Top), "diff", "written")));
    }

    [SkippableFact]
    public void A_mount_with_an_open_file_is_not_given_back_and_the_refusal_says_whose_file_it_is()
    {
        Open();
        var path = Acquire("one").MountPath;
        using (File.Create(Path.Combine(path, "open")))
        {
            Tell(new LayerProtocol.Release(Top, LeaseId.Parse("one")));
            var error = ExpectMsg<StoreProtocol.Refused>(Patience).Error;
            Assert.Equal((StorageErrorCode.InUse, "EBUSY"), (error.Code, error.Errno));
            Assert.Contains($"{Environment.ProcessId} ", error.Message, StringComparison.Ordinal);
            Assert.Contains("(tried 6 times)", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(0, Release("one").LeasesLeft);
    }

    [SkippableFact]
    public void A_named_lease_and_its_mount_outlive_the_engine_and_are_taken_over_by_the_next()
    {
        Open();
        var path = Acquire("kept").MountPath;
        Restart("next");
        Tell(new LayerInternal.Wake());
        Assert.Equal("kept", ExpectMsg<LayerInternal.Awake>(Patience).Mount!.Leases.Single().Lease.Value);
        Assert.Equal((path, 2), (Acquire("more").MountPath, Acquire("more").Leases));
        Tell(new LayerProtocol.ReleaseAll(Top));
        ExpectMsg<LayerProtocol.Released>(Patience);
        Assert.False(Libc.Stat(path).IsMountRoot);
    }

    [SkippableFact]
    public void A_mount_of_a_holder_that_died_with_the_engine_is_unmounted_by_the_next()
    {
        Open();
        Tell(new LayerProtocol.Acquire(Top, LeaseId.Parse("lost"), MountOptions.Default, SomeActor()));
        var path = ExpectMsg<LayerProtocol.Acquired>(Patience).MountPath;
        Restart("next");
        Tell(new LayerInternal.Wake());
        Assert.Null(ExpectMsg<LayerInternal.Awake>(Patience).Mount);
        Assert.False(Libc.Stat(path).IsMountRoot);
    }

    [SkippableFact]
    public void A_layer_that_is_removed_by_force_leaves_no_mount_and_nothing_in_the_trash()
    {
        Open();
        var path = Acquire("one").MountPath;
        using var open = File.Create(Path.Combine(path, "open"));
        Tell(new LayerInternal.Drain(Force: true));
        ExpectMsg<LayerInternal.Drained>(Patience);
        var trashed = Store.Run(new RemoveLayer(Store.Layout.Locate(Top))).Path;
        Tell(new LayerInternal.Forget());
        var trash = Sys.ActorOf(TrashActor.Props(_operations!, Store.Metrics, TimeSpan.FromMinutes(5)));
        trash.Tell(new TrashProtocol.Collect(trashed));
        trash.Tell(new TrashProtocol.Empty());
        Assert.Equal(0, ExpectMsg<TrashProtocol.Emptied>(Patience).Left);
        Assert.Empty(MountTable.ReadBelow(Store.Layout.Root));
        Assert.Empty(DirectoryNames.Of(Store.Layout.TrashHome));
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing) _store?.Dispose(); // Reports a mount that was left.
    }

    private void Open()
    {
        _store = new TestStore(LoopFileSystem.Shared(FileSystemKind.Ext4).Root, static root => DriverFactory.Open("overlay", root, new DriverOptions()));
        Make(Base, null);
        File.WriteAllText(Path.Combine(Store.Layout.LayerDirectory(Base), "diff", "from-base"), "");
        Make(Top, Base);
        Restart("run");
    }

    private void Make(LayerId layer, LayerId? parent)
    {
        var ticket = TicketId.New();
        Store.Run(new BeginLayer(ticket, layer, Writable: true, parent is { } id ? [Store.Layout.Locate(id)] : []));
        Store.Run(new FinishLayer(ticket, new LayerRecord(
            layer, parent, LayerKind.Writable, [], new Dictionary<string, string>(StringComparer.Ordinal), DateTimeOffset.UnixEpoch), []));
        Store.Run(new CommitLayer(ticket, parent, Durable: false));
        Assert.Null(Store.Run(new EndStaging(ticket)).Path);
    }

    /// <summary>Ends the actors as the end of the engine would, and starts new ones on the same store and journal.</summary>
    private void Restart(string run)
    {
        if (_layers is not null)
        {
            _layers.Tell(new LayerInternal.Flush(1)); // A lease is granted before the journal has it.
            ExpectMsg<LayerInternal.Flushed>(Patience);
        }

        foreach (var old in new[] { _layers, _operations })
        {
            if (old is null) continue;
            Watch(old);
            Sys.Stop(old);
            ExpectTerminated(old, Patience);
        }

        _operations = Sys.ActorOf(DriverOperationsActor.Props(Store.Services, RetryPolicy.Default with { Pause = TimeSpan.FromSeconds(1) }));
        _layers = Sys.ActorOf(LayersActor.Props(new LayerEnvironment(
            _operations, TimeProvider.System, "boot", run, Store.Metrics, new MountView(), TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(5))));
    }

    private void Tell(object message) => _layers!.Tell(new LayerInternal.Deliver(Setup, message));

    private LayerProtocol.Acquired Acquire(string lease)
    {
        Tell(new LayerProtocol.Acquire(Top, LeaseId.Parse(lease), MountOptions.Default));
        return ExpectMsg<LayerProtocol.Acquired>(Patience);
    }

    private LayerProtocol.Released Release(string lease)
    {
        Tell(new LayerProtocol.Release(Top, LeaseId.Parse(lease)));
        return ExpectMsg<LayerProtocol.Released>(Patience);
    }
}
