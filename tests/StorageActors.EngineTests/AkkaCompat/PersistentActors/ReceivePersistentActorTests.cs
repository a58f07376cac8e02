using Akka.Actor;
using Akka.Persistence;
using Akka.TestKit.Xunit2;
using StorageActors.EngineTests.Support;
using Xunit;

namespace StorageActors.EngineTests.AkkaCompat.PersistentActors;

/// <summary>How handlers of a ReceivePersistentActor are declared and chosen.</summary>
public sealed class ReceivePersistentActorTests() : TestKit(Patient.Hocon + "akka { loglevel = OFF, stdout-loglevel = OFF }")
{
    private sealed class Choosing : ReceivePersistentActor
    {
        public Choosing()
        {
            Command<int>(n => Sender.Tell($"{n} is small"), n => n < 10);
            Command<int>(n => n < 20, n => Sender.Tell($"{n} is middling"));
            Command<int>(n =>
            {
                if (n >= 30) return false;
                Sender.Tell($"{n} is big");
                return true;
            });
            Command(typeof(long), n => Sender.Tell($"{n} is long"));
            CommandAsync<double>(async d =>
            {
                await Task.Yield();
                Sender.Tell($"{d} is double");
            });
            Command<string>(s => s == "late", _ => Sender.Tell(Declare(() => Command<int>(_ => { }))));
            Command<string>(s => s == "late recover", _ => Sender.Tell(Declare(() => Recover<int>(_ => { }))));
            Command<string>(s => s == "stack", _ => BecomeStacked(() =>
            {
                Command<string>(s => s == "back", _ => UnbecomeStacked());
                Command<int>(n => Sender.Tell($"{n} on top"));
            }));
            CommandAny(m => Sender.Tell($"{m} is something"));
        }

        public override string PersistenceId => "choosing";

        private static string Declare(Action declare)
        {
            try
            {
                declare();
                return "accepted";
            }
            catch (InvalidOperationException)
            {
                return "refused";
            }
        }
    }

    private sealed class AfterAny : ReceivePersistentActor
    {
        public AfterAny()
        {
            CommandAny(_ => { });
            Command<string>(_ => { });
        }

        public override string PersistenceId => "after any";
    }

    [Fact]
    public void The_first_handler_that_takes_a_message_gets_it()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Choosing()));
        foreach (var message in (object[])[1, 11, 21, 31, 1L, 0.5, 'c']) actor.Tell(message);
        Assert.Equal(
            ["1 is small", "11 is middling", "21 is big", "31 is something", "1 is long", "0.5 is double", "c is something"],
            ReceiveN(7).Cast<string>());
    }

    [Fact]
    public void Handlers_are_declared_in_the_constructor_or_in_Become_only()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Choosing()));
        actor.Tell("late");
        actor.Tell("late recover");
        Assert.Equal(["refused", "refused"], ReceiveN(2).Cast<string>());
        var afterAny = Watch(Sys.ActorOf(Props.Create(() => new AfterAny())));
        ExpectTerminated(afterAny);
    }

    [Fact]
    public void A_stacked_behaviour_gives_way_to_the_one_below()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Choosing()));
        foreach (var message in (object[])["stack", 1, "back", 1]) actor.Tell(message);
        Assert.Equal(["1 on top", "1 is small"], ReceiveN(2).Cast<string>());
    }
}
