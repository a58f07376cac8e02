using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using StorageActors.Journal;

namespace StorageActors.EngineTests.Support;

/// <summary>A test with an actor system as the engine wants it: its own defaults, a journal in memory, and every message serialized.</summary>
public abstract class EngineTest(string? extra = null) : TestKit(Config(extra))
{
    private static Config Config(string? extra) => ConfigurationFactory.ParseString($$"""
        {{Patient.Hocon}}
        akka.actor.serialize-messages = on
        akka.persistence.journal.plugin = "akka.persistence.journal.inmem"
        akka.persistence.snapshot-store.plugin = "akka.persistence.snapshot-store.inmem"
        {{extra}}
        """).WithFallback(Defaults);

    /// <summary>What the engine brings.</summary>
    internal static Config Defaults { get; } = ConfigurationFactory.FromResource("StorageActors.reference.conf", typeof(JournalSerializer).Assembly);

    /// <summary>An actor that only lives, and can be stopped.</summary>
    internal IActorRef SomeActor() => Sys.ActorOf(Props.Create(() => new Living()));

    private sealed class Living : ReceiveActor;
}
