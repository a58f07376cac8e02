using Akka.Actor;
using Akka.Persistence;
using Akka.TestKit.Xunit2;
using StorageActors.EngineTests.Support;
using Xunit;
using static StorageActors.EngineTests.AkkaCompat.PersistentActors.Scripted;

namespace StorageActors.EngineTests.AkkaCompat.PersistentActors;

/// <summary>What a persistent actor does when its journal does not do its part.</summary>
public sealed class FaultTests() : TestKit(Patient.Hocon + """
    akka { loglevel = OFF, stdout-loglevel = OFF }
    akka.persistence {
      max-concurrent-recoveries = 1
      journal.plugin = "faulty"
      snapshot-store.plugin = "akka.persistence.snapshot-store.inmem"
    }
    faulty.class = "StorageActors.EngineTests.AkkaCompat.PersistentActors.FaultyJournal, StorageActors.EngineTests"
    impatient {
      class = "StorageActors.EngineTests.AkkaCompat.PersistentActors.FaultyJournal, StorageActors.EngineTests"
      recovery-event-timeout = 1s
    }
    """)
{
    private IActorRef Start(string id) => Watch(Sys.ActorOf(Scripted.Props(id, TestActor)));

    private IActorRef StartFresh(string id)
    {
        var actor = Start(id);
        ExpectMsg("recovered");
        return actor;
    }

    [Fact]
    public void A_failed_write_stops_the_actor_and_its_handlers_do_not_run()
    {
        var actor = StartFresh("p");
        actor.Tell(new Do(a =>
        {
            a.Store("fine");
            a.Store("fail");
            a.Self.Tell("x");
        }));
        ExpectMsg("failed fine as 1");
        ExpectTerminated(actor);
        StartFresh("p");
    }

    [Fact]
    public void A_rejected_event_uses_its_number_up_and_the_actor_goes_on()
    {
        var actor = StartFresh("p");
        actor.Tell(new Do(a =>
        {
            a.Store("a");
            a.Store("reject");
            a.PersistAll(["b", "reject"], e => a.Say($"stored {e}"));
            a.Store("c");
            a.Self.Tell("x");
        }));
        Assert.Equal(
            ["stored a", "rejected String as 2", "rejected String as 3", "rejected String as 4", "stored c", "command x"],
            ReceiveN(6).Cast<string>());
        actor.Tell(new Do(a => a.Say(a.LastSequenceNr.ToString())));
        ExpectMsg("5");
        Sys.Stop(actor);
        ExpectTerminated(actor);
        Start("p");
        Assert.Equal(["replayed a", "replayed c", "recovered"], ReceiveN(3).Cast<string>());
    }

    [Fact]
    public void Late_replies_to_an_earlier_incarnation_are_dropped()
    {
        var actor = StartFresh("p");
        actor.Tell(new Do(a =>
        {
            a.PersistAsync("hold", e => a.Say($"stored {e}"));
            a.Say("sent");
        }));
        ExpectMsg("sent");
        actor.Tell(new Do(_ => throw new FormatException()));
        actor.Tell("x");
        ExpectNoMsg(50);   // its recovery waits for the write
        Akka.Persistence.Persistence.Instance.Apply(Sys).JournalFor(null).Tell(new FaultyJournal.Release());
        Assert.Equal(["replayed hold", "recovered", "command x"], ReceiveN(3).Cast<string>());
        actor.Tell(new Do(a => a.Store("b")));
        ExpectMsg("stored b");
    }

    [Fact]
    public void A_journal_that_cannot_be_read_stops_the_actor()
    {
        var actor = StartFresh("unreadable");
        actor.Tell(new Do(a => a.Store("a")));
        ExpectMsg("stored a");
        Sys.Stop(actor);
        ExpectTerminated(actor);
        actor = Start("unreadable");
        ExpectMsg("recovery failed on nothing: IOException");
        ExpectTerminated(actor);
    }

    [Fact]
    public void A_silent_journal_fails_the_recovery_and_gives_its_permit_back()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(FaultyJournal.Asked));
        var silent = Watch(Sys.ActorOf(Scripted.Props("silent", TestActor, journal: "impatient")));
        var first = ReceiveOne();   // on a slow machine the time may be up before it has come to the journal
        StartWaiting("p");   // only one may recover at a time
        Assert.Equal("recovery failed on nothing: RecoveryTimedOutException", first is FaultyJournal.Asked ? ExpectMsg<string>() : first);
        ExpectTerminatedAndThen(silent, "recovered");
    }

    [Fact]
    public void Who_is_stopped_while_it_recovers_or_waits_to_gives_its_permit_back()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(FaultyJournal.Asked));
        var silent = Start("silent");
        ExpectMsg<FaultyJournal.Asked>();   // only one may recover at a time
        var waiting = Start("waiting");
        Sys.Stop(waiting);
        ExpectTerminated(waiting);
        Sys.Stop(silent);
        ExpectTerminated(silent);
        StartFresh("p");
    }

    [Fact]
    public void Who_fails_before_it_has_started_gives_its_permit_back()
    {
        ExpectTerminated(Watch(Sys.ActorOf(Akka.Actor.Props.Create(static () => new Unstarted()))));
        StartFresh("p");
    }

    [Fact]
    public void Who_is_restarted_while_it_recovers_recovers_and_gives_its_permit_back()
    {
        var actor = Sys.ActorOf(Akka.Actor.Props.Create(() => new Restarting(TestActor)));
        ExpectMsg("restarted");
        ExpectMsg("recovered");
        actor.Tell("still there");
        ExpectMsg("still there");
        StartFresh("p");
    }

    private sealed class Unstarted : UntypedPersistentActor
    {
        public override string PersistenceId => "unstarted";

        protected override void PreStart() => throw new InvalidOperationException("on purpose");

        protected override void OnRecover(object message)
        {
        }

        protected override void OnCommand(object message)
        {
        }
    }

    /// <summary>Fails at the end of its first recovery, when it has its permit still.</summary>
    private sealed class Restarting(IActorRef test) : UntypedPersistentActor
    {
        private static int _recoveries;

        public override string PersistenceId => "restarting";

        protected override void PostRestart(Exception reason) => test.Tell("restarted");

        protected override void OnRecover(object message)
        {
            if (message is not RecoveryCompleted) return;
            if (Interlocked.Increment(ref _recoveries) == 1) throw new InvalidOperationException("on purpose");
            test.Tell("recovered");
        }

        protected override void OnCommand(object message) => test.Tell(message);
    }

    private void StartWaiting(string id) => Sys.ActorOf(Scripted.Props(id, TestActor));

    private void ExpectTerminatedAndThen(IActorRef actor, string message)
    {
        var both = ReceiveN(2);   // they come from different actors
        Assert.Contains(both, m => m is Terminated t && t.ActorRef.Equals(actor));
        Assert.Contains(message, both);
    }

    [Fact]
    public void A_missing_plugin_fails_the_start()
    {
        var actor = Watch(Sys.ActorOf(Akka.Actor.Props.Create(() => new Misconfigured())));
        ExpectTerminated(actor);
    }

    private sealed class Misconfigured : UntypedPersistentActor
    {
        public Misconfigured() => JournalPluginId = "no.such.journal";

        public override string PersistenceId => "misconfigured";

        protected override void OnCommand(object message) { }

        protected override void OnRecover(object message) { }
    }
}
