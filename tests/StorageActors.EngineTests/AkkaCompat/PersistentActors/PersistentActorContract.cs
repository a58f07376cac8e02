using Akka.Actor;
using Akka.Persistence;
using Akka.TestKit.Xunit2;
using StorageActors.EngineTests.Support;
using Xunit;
using static StorageActors.EngineTests.AkkaCompat.PersistentActors.Scripted;

namespace StorageActors.EngineTests.AkkaCompat.PersistentActors;

/// <summary>What the engine relies on in a persistent actor, whatever journal stands behind it.</summary>
public abstract class PersistentActorContract(string plugins) : TestKit(
    Patient.Hocon + "akka { loglevel = OFF, stdout-loglevel = OFF, actor.serialize-messages = on }\n" + plugins)
{
    private IActorRef Start(Akka.Persistence.Recovery? recovery = null, Action<Scripted, object>? onRecover = null) =>
        Watch(Sys.ActorOf(Scripted.Props("p", TestActor, recovery, onRecover)));

    private IActorRef StartFresh()
    {
        var actor = Start();
        ExpectMsg("recovered");
        return actor;
    }

    private void Stop(IActorRef actor)
    {
        Sys.Stop(actor);
        ExpectTerminated(actor);
    }

    private void ExpectMsgs(params string[] messages) => Assert.Equal(messages, ReceiveN(messages.Length).Cast<string>());

    private void StoreAll(params string[] events)
    {
        var actor = StartFresh();
        foreach (var e in events)
        {
            actor.Tell(new Do(a => a.Store(e)));
            ExpectMsg($"stored {e}");
        }
        Stop(actor);
    }

    [SkippableFact]
    public void Events_are_replayed_in_order_before_the_first_command()
    {
        StoreAll("a", "b", "c");
        Start().Tell("now");
        ExpectMsgs("replayed a", "replayed b", "replayed c", "recovered", "command now");
    }

    [SkippableFact]
    public void Recovery_starts_at_the_latest_snapshot()
    {
        var actor = StartFresh();
        actor.Tell(new Do(a => a.PersistAll(["a", "b"], _ => a.Say(a.LastSequenceNr.ToString()))));
        ExpectMsgs("1", "2");
        actor.Tell(new Do(a => a.SaveSnapshot("ab")));
        ExpectMsg("saved 2");
        actor.Tell(new Do(a => a.Store("c")));
        ExpectMsg("stored c");
        Stop(actor);
        actor = Start();
        ExpectMsgs("offered ab of 2", "replayed c", "recovered");
        actor.Tell(new Do(a => a.DeleteSnapshots(new SnapshotSelectionCriteria(2))));
        ExpectMsg("deleted snapshots to 2");
        Stop(actor);
        Start();
        ExpectMsgs("replayed a", "replayed b", "replayed c", "recovered");
    }

    [SkippableFact]
    public void One_snapshot_is_deleted_by_its_number_and_saving_again_replaces_it()
    {
        var actor = StartFresh();
        actor.Tell(new Do(a => a.Store("a")));
        ExpectMsg("stored a");
        foreach (var state in (string[])["first", "second"])
        {
            actor.Tell(new Do(a => a.SaveSnapshot(state)));
            ExpectMsg("saved 1");
        }
        Stop(actor);
        actor = Start();
        ExpectMsgs("offered second of 1", "recovered");
        actor.Tell(new Do(a => a.DeleteSnapshot(1)));
        ExpectMsg("deleted snapshot 1");
        Stop(actor);
        Start();
        ExpectMsgs("replayed a", "recovered");
    }

    [SkippableFact]
    public void No_command_is_seen_between_persist_and_its_handler_nor_before_one_nested_in_it()
    {
        var actor = StartFresh();
        actor.Tell(new Do(a =>
        {
            a.Self.Tell("x");
            a.Persist("a", _ =>
            {
                a.Say("stored a");
                a.Store("b");
            });
            a.Store("c");
            a.Say("handled");
        }));
        ExpectMsgs("handled", "stored a", "stored c", "stored b", "command x");
    }

    [SkippableFact]
    public void PersistAll_calls_the_handler_once_for_each_event_and_not_at_all_for_none()
    {
        var actor = StartFresh();
        actor.Tell(new Do(a =>
        {
            a.PersistAll(["a", "b"], e => a.Say($"stored {e} as {a.LastSequenceNr}"));
            a.PersistAll(Array.Empty<string>(), a.Say);
            a.PersistAll<string>(null!, a.Say);
            Assert.Throws<ArgumentException>(() => a.PersistAllAsync(Array.Empty<string>(), a.Say));
        }));
        actor.Tell("next");
        ExpectMsgs("stored a as 1", "stored b as 2", "command next");
    }

    [SkippableFact]
    public void PersistAsync_lets_commands_go_on_and_keeps_the_handlers_in_order()
    {
        var actor = StartFresh();
        actor.Tell(new Do(a =>
        {
            a.PersistAsync("a", e => a.Say($"stored {e}"));
            a.PersistAllAsync(["b", "c"], e => a.Say($"stored {e}"));
            a.DeferAsync("d", e => a.Say($"deferred {e}"));
            a.Self.Tell("x");
        }));
        Assert.Equal("command x", FishForMessage<string>(m => m == "command x"));
        ExpectMsgs("stored a", "stored b", "stored c", "deferred d");
        Stop(actor);
        Start();
        ExpectMsgs("replayed a", "replayed b", "replayed c", "recovered");
    }

    [SkippableFact]
    public void DeferAsync_runs_at_once_when_nothing_is_pending()
    {
        StartFresh().Tell(new Do(a =>
        {
            a.DeferAsync("d", e => a.Say($"deferred {e}"));
            a.Say("handled");
        }));
        ExpectMsgs("deferred d", "handled");
    }

    [SkippableFact]
    public void The_sender_in_a_handler_is_that_of_the_command()
    {
        var (one, two) = (CreateTestProbe(), CreateTestProbe());
        var actor = StartFresh();
        foreach (var probe in (Akka.TestKit.TestProbe[])[one, two])
            probe.Send(actor, new Do(a => a.PersistAsync("a", _ => a.Sender.Tell(a.LastSequenceNr))));
        Assert.Equal([1L, 2L], [one.ExpectMsg<long>(), two.ExpectMsg<long>()]);
    }

    [SkippableFact]
    public void Persisting_in_a_recovery_is_refused_and_ends_it()
    {
        StoreAll("a");
        var actor = Start(onRecover: (a, e) =>
        {
            if (e is string) a.Store("b");
        });
        ExpectMsgs("replayed a", "recovery failed on a: InvalidOperationException");
        ExpectTerminated(actor);
    }

    [SkippableFact]
    public void An_exception_in_a_recovery_stops_the_actor_without_a_restart()
    {
        StoreAll("a", "b");
        var actor = Start(onRecover: (_, _) => throw new FormatException());
        ExpectMsgs("replayed a", "recovery failed on a: FormatException");
        ExpectTerminated(actor);
        ExpectNoMsg(50);
    }

    [SkippableFact]
    public void Persisting_on_RecoveryCompleted_comes_before_commands()
    {
        Start(onRecover: (a, e) =>
        {
            if (e is RecoveryCompleted) a.Store("a");
        }).Tell("x");
        ExpectMsgs("recovered", "stored a", "command x");
    }

    [SkippableFact]
    public void A_command_that_fails_after_persist_restarts_the_actor_and_the_event_is_stored()
    {
        var actor = StartFresh();
        actor.Tell(new Do(a =>
        {
            a.Store("a");
            a.Self.Tell("x");
            throw new FormatException();
        }));
        ExpectMsgs("replayed a", "recovered", "command x");
        actor.Tell(new Do(a => a.Store("b")));
        ExpectMsg("stored b");
    }

    [SkippableFact]
    public void A_handler_that_fails_restarts_the_actor_and_what_was_held_back_is_not_lost()
    {
        var actor = StartFresh();
        actor.Tell(new Do(a =>
        {
            a.Persist("a", _ => throw new FormatException());
            a.Self.Tell("x");
            a.Self.Tell("y");
        }));
        ExpectMsgs("replayed a", "recovered", "command x", "command y");
    }

    [SkippableFact]
    public void What_the_user_stash_releases_comes_first_and_equal_messages_stay_two()
    {
        var actor = StartFresh();
        actor.Tell(new Do(a => a.Held()));
        actor.Tell("x");
        actor.Tell("x");
        actor.Tell("y");
        actor.Tell(new Do(a =>
        {
            a.Persist("a", _ => a.Released());
            a.Self.Tell("z");
        }));
        ExpectMsgs("command x", "command x", "command y", "command z");
    }

    [SkippableFact]
    public void An_asynchronous_command_ends_before_the_next_begins_and_may_persist()
    {
        var actor = StartFresh();
        actor.Tell(new DoAsync(async a =>
        {
            a.Self.Tell("x");
            await Task.Yield();
            a.Store("a");
            await Task.Yield();
            a.Say("handled");
        }));
        ExpectMsgs("handled", "stored a", "command x");
    }

    [SkippableFact]
    public void An_asynchronous_command_that_fails_restarts_the_actor()
    {
        StartFresh().Tell(new DoAsync(async a =>
        {
            a.Self.Tell("x");
            a.Store("a");
            await Task.Yield();
            throw new FormatException();
        }));
        ExpectMsgs("replayed a", "recovered", "command x");
    }

    [SkippableFact]
    public void Deleted_events_are_not_replayed_and_numbering_goes_on_behind_them()
    {
        StoreAll("a", "b", "c");
        var actor = Start();
        ExpectMsgs("replayed a", "replayed b", "replayed c", "recovered");
        actor.Tell(new Do(a => a.DeleteMessages(4)));
        ExpectMsg("not deleted to 4");
        actor.Tell(new Do(a => a.DeleteMessages(2)));
        ExpectMsg("deleted to 2");
        actor.Tell(new Do(a => a.DeleteMessages(long.MaxValue)));
        ExpectMsg("deleted to 3");
        Stop(actor);
        actor = StartFresh();
        actor.Tell(new Do(a => a.Persist("d", _ => a.Say(a.LastSequenceNr.ToString()))));
        ExpectMsg("4");
    }

    [SkippableFact]
    public void Recovery_can_be_limited_or_left_out()
    {
        StoreAll("a", "b", "c");
        Stop(Start(new Akka.Persistence.Recovery(SnapshotSelectionCriteria.Latest, toSequenceNr: 2)), "replayed a", "replayed b", "recovered");
        Stop(Start(new Akka.Persistence.Recovery(SnapshotSelectionCriteria.Latest, long.MaxValue, replayMax: 1)), "replayed a", "recovered");
        var actor = Start(Akka.Persistence.Recovery.None);
        ExpectMsg("recovered");
        actor.Tell(new Do(a => a.Persist("d", _ => a.Say(a.LastSequenceNr.ToString()))));
        ExpectMsg("4");
    }

    private void Stop(IActorRef actor, params string[] after)
    {
        ExpectMsgs(after);
        Stop(actor);
    }

    [SkippableFact]
    public void An_actor_without_an_id_does_not_start()
    {
        var actor = Watch(Sys.ActorOf(Scripted.Props(null!, TestActor)));
        ExpectTerminated(actor);
    }
}

/// <summary>On the journal in memory.</summary>
public sealed class InMemoryPersistentActorTests() : PersistentActorContract("""
    akka.persistence.journal.plugin = "akka.persistence.journal.inmem"
    akka.persistence.snapshot-store.plugin = "akka.persistence.snapshot-store.inmem"
    """);
