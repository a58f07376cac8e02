using Akka.Actor;
using StorageActors.DriverOperations;
using StorageActors.EngineTests.Support;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Store;
using StorageActors.TestSupport;
using StorageActors.Trash;
using Xunit;

namespace StorageActors.EngineTests.Trash;

public sealed class TrashActorTests : EngineTest
{
    private readonly TestStore _store = new();
    private readonly IActorRef _operations;

    public TrashActorTests()
        : base() => _operations = Sys.ActorOf(DriverOperationsActor.Props(_store.Services, new RetryPolicy(5, TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(1))));

    [Fact]
    public void What_an_earlier_engine_left_is_deleted_at_start()
    {
        Leave("one");
        Leave("two");
        var trash = Start();
        trash.Tell(new TrashProtocol.Empty());
        Assert.Equal(0, ExpectMsg<TrashProtocol.Emptied>().Left);
        Assert.Empty(Directory.GetFileSystemEntries(_store.Layout.TrashHome));
    }

    [Fact]
    public void What_is_collected_is_deleted_and_counted_until_it_is()
    {
        var probe = CreateTestProbe();
        var trash = Sys.ActorOf(TrashActor.Props(probe, _store.Metrics, TimeSpan.FromMinutes(5)));
        var list = probe.ExpectMsg<DriverProtocol.Perform>(static perform => perform.Operation is ListTrash);
        probe.Reply(new DriverProtocol.Completed<IReadOnlyList<string>>(list.Attempt, []));
        trash.Tell(new TrashProtocol.Collect(null));
        trash.Tell(new TrashProtocol.Collect("/store/trash/a"));
        trash.Tell(new TrashProtocol.Collect("/store/trash/a"));
        var measure = probe.ExpectMsg<DriverProtocol.Perform>(static perform => perform.Operation is MeasureTrash);
        probe.Reply(new DriverProtocol.Completed<Drivers.ContentUsage>(measure.Attempt, new Drivers.ContentUsage(4096, 2, 0)));
        var delete = probe.ExpectMsg<DriverProtocol.Perform>(static perform => perform.Operation is DeleteTrash);
        trash.Tell(new TrashProtocol.GetBacklog());
        ExpectMsg(new TrashProtocol.Backlog(1, 4096));
        probe.Reply(new DriverProtocol.Completed<Nothing>(delete.Attempt, Nothing.Instance));
        trash.Tell(new TrashProtocol.GetBacklog());
        FishForMessage<TrashProtocol.Backlog>(backlog =>
        {
            if (backlog.Trees > 0) trash.Tell(new TrashProtocol.GetBacklog()); // The answer to the deletion is still on its way.
            return backlog.Trees == 0;
        });
        Assert.Equal(0, _store.Metrics.Counters().ToDictionary()["trash bytes"]);
    }

    [Fact]
    public void What_is_collected_waits_a_moment_unless_somebody_wants_the_trash_empty()
    {
        var probe = CreateTestProbe();
        var trash = Sys.ActorOf(TrashActor.Props(probe, _store.Metrics, TimeSpan.FromMinutes(5), pause: TimeSpan.FromMinutes(5)));
        var list = probe.ExpectMsg<DriverProtocol.Perform>(static perform => perform.Operation is ListTrash);
        probe.Reply(new DriverProtocol.Completed<IReadOnlyList<string>>(list.Attempt, []));
        trash.Tell(new TrashProtocol.Collect("/store/trash/a"));
        trash.Tell(new TrashProtocol.GetBacklog());
        ExpectMsg(new TrashProtocol.Backlog(1, 0));
        trash.Tell(new TrashProtocol.Empty());
        probe.ExpectMsg<DriverProtocol.Perform>(static perform => perform.Operation is SweepStagings);
    }

    [Fact]
    public void What_cannot_be_deleted_is_kept_said_once_and_tried_again_when_asked()
    {
        var probe = CreateTestProbe();
        var trash = Sys.ActorOf(TrashActor.Props(probe, _store.Metrics, TimeSpan.FromMinutes(5)));
        EventFilter.Warning(contains: "cannot be deleted yet").ExpectOne(() =>
        {
            AnswerList();
            AnswerMeasure();
            Fail();
            trash.Tell(new TrashProtocol.Empty());
            AnswerSweep();
            AnswerList();
            Fail();
            Assert.Equal(1, ExpectMsg<TrashProtocol.Emptied>().Left);
        });
        trash.Tell(new TrashProtocol.Empty());
        AnswerSweep();
        AnswerList();
        var last = probe.ExpectMsg<DriverProtocol.Perform>(static perform => perform.Operation is DeleteTrash);
        probe.Reply(new DriverProtocol.Completed<Nothing>(last.Attempt, Nothing.Instance));
        Assert.Equal(0, ExpectMsg<TrashProtocol.Emptied>().Left);

        void AnswerList()
        {
            var list = probe.ExpectMsg<DriverProtocol.Perform>(static perform => perform.Operation is ListTrash);
            probe.Reply(new DriverProtocol.Completed<IReadOnlyList<string>>(list.Attempt, ["/store/trash/a"]));
        }

        void AnswerSweep()
        {
            var sweep = probe.ExpectMsg<DriverProtocol.Perform>(static perform => perform.Operation is SweepStagings);
            probe.Reply(new DriverProtocol.Completed<IReadOnlyList<string>>(sweep.Attempt, []));
        }

        void AnswerMeasure()
        {
            var measure = probe.ExpectMsg<DriverProtocol.Perform>(static perform => perform.Operation is MeasureTrash);
            probe.Reply(new DriverProtocol.Completed<Drivers.ContentUsage>(measure.Attempt, new Drivers.ContentUsage(1, 1, 0)));
        }

        void Fail()
        {
            var delete = probe.ExpectMsg<DriverProtocol.Perform>(static perform => perform.Operation is DeleteTrash);
            probe.Reply(new DriverProtocol.Failed(delete.Attempt, new StorageError(StorageErrorCode.Io, "unlinkat", "the disk fails")));
        }
    }

    [Fact]
    public void A_dead_owners_staging_ends_in_the_trash_and_then_nowhere()
    {
        var ticket = TicketId.Parse("ticket-1");
        StagingDirectory.Create(_store.Layout, ticket, LayerId.Parse("some-layer"), writable: false).Lock.Dispose();
        using var living = StagingDirectory.Create(_store.Layout, TicketId.Parse("ticket-2"), LayerId.Parse("other-layer"), writable: false).Lock;
        var trash = Start();
        trash.Tell(new TrashProtocol.SweepStaging(AtStart: true));
        Assert.Equal(["ticket-1"], ExpectMsg<TrashProtocol.Swept>().Names);
        trash.Tell(new TrashProtocol.Empty());
        Assert.Equal(0, ExpectMsg<TrashProtocol.Emptied>().Left);
        Assert.Equal(["ticket-2"], DirectoryNames.Of(_store.Layout.StagingHome));
        Assert.Empty(DirectoryNames.Of(_store.Layout.TrashHome));
    }

    [SkippableFact]
    public void A_mount_that_lies_in_the_trash_is_taken_off_and_what_it_showed_is_left_alone()
    {
        RequiredTiers.SkipUnlessRoot();
        using var outside = new TempDirectory();
        File.WriteAllText(outside["precious"], "kept");
        var mountPoint = Directory.CreateDirectory(Path.Combine(Leave("layer.1"), "merged")).FullName;
        Libc.Mount(outside.Path, mountPoint, "none", MountFlags.Bind, []);
        using var busy = File.OpenRead(Path.Combine(mountPoint, "precious")); // A plain unmount is refused.
        var trash = Start();
        trash.Tell(new TrashProtocol.Empty());
        Assert.Equal(0, ExpectMsg<TrashProtocol.Emptied>().Left);
        Assert.Equal("kept", File.ReadAllText(outside["precious"]));
        Assert.Empty(MountTable.ReadBelow(_store.Layout.Root));
    }

    [Fact]
    public void It_looks_again_by_itself_from_time_to_time()
    {
        Start(TimeSpan.FromMilliseconds(20));
        Leave("later"); // Nobody says so.
        AwaitCondition(() => DirectoryNames.Of(_store.Layout.TrashHome).Count == 0);
    }

    [Fact]
    public void A_layer_whose_removal_the_journal_may_lack_is_deleted_by_whoever_removed_it_or_by_the_next_start()
    {
        var trash = Start();
        trash.Tell(new TrashProtocol.Empty());
        ExpectMsg<TrashProtocol.Emptied>();
        var layer = Leave("layer.1");
        LayerFile.Write(layer, new LayerRecord(LayerId.Parse("some-layer"), null, LayerKind.Writable, [], new Dictionary<string, string>(StringComparer.Ordinal), DateTimeOffset.UnixEpoch));
        Leave("nobody's");
        trash.Tell(new TrashProtocol.Empty()); // Meanwhile its removal is on its way to the journal.
        ExpectMsg<TrashProtocol.Emptied>();
        Assert.Equal(["layer.1"], DirectoryNames.Of(_store.Layout.TrashHome));

        trash.Tell(new TrashProtocol.Collect(layer));
        trash.Tell(new TrashProtocol.Empty());
        ExpectMsg<TrashProtocol.Emptied>();
        Assert.Empty(DirectoryNames.Of(_store.Layout.TrashHome));
    }

    /// <summary>The store last: nothing works on it any more.</summary>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing) _store.Dispose();
    }

    private IActorRef Start(TimeSpan? period = null) =>
        Sys.ActorOf(TrashActor.Props(_operations, _store.Metrics, period ?? TimeSpan.FromMinutes(5)));

    /// <summary>Whole from the start, as a rename brings it: the trash may look at any time.</summary>
    private string Leave(string name)
    {
        var (made, path) = (Path.Combine(_store.Layout.Root, name), Path.Combine(_store.Layout.TrashHome, name));
        Directory.CreateDirectory(Path.Combine(made, "diff", "deep"));
        File.WriteAllText(Path.Combine(made, "diff", "deep", "file"), "content");
        Directory.Move(made, path);
        return path;
    }
}
