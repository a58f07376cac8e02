using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using Akka.Persistence.Sql.Journal;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EngineTests.AkkaCompat.StandIns;

/// <summary>Nothing keeps a database open behind an actor system that has ended.</summary>
public sealed class SqlShutdownTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_recovery_that_outlives_its_journal_fails_and_opens_nothing()
    {
        using var system = Start();
        var extension = Persistence.Instance.Apply(system);
        var maker = new Maker(extension.ConfigFor(extension.JournalFor(null)));
        // Under the plugin's name, by which a journal finds its settings.
        var actor = system.ActorOf(Props.CreateBy(maker), "akka.persistence.journal.sql");
        await actor.Ask<ActorIdentity>(new Identify(0));
        await system.Terminate();

        await Assert.ThrowsAnyAsync<InvalidOperationException>(() => maker.Made!.ReadHighestSequenceNrAsync("late", 0));
        AssertClosed();
    }

    [Fact]
    public async Task A_journal_that_cannot_start_keeps_nothing_open()
    {
        using var system = Start("batch-size = many");
        var journal = Persistence.Instance.Apply(system).JournalFor(null);
        Assert.True(await journal.GracefulStop(TimeSpan.FromMinutes(1)));
        await system.Terminate();
        AssertClosed();
    }

    private ActorSystem Start(string more = "") => ActorSystem.Create("shutdown", ConfigurationFactory.ParseString($$"""
        akka { loglevel = OFF, stdout-loglevel = OFF }
        akka.persistence.journal {
          plugin = "akka.persistence.journal.sql"
          sql {
            class = "Akka.Persistence.Sql.Journal.SqlWriteJournal, Akka.Persistence.Sql"
            connection-string = "Data Source={{_directory["journal.db"]}}"
            provider-name = "SQLite.MS"
            {{more}}
          }
        }
        """));

    private void AssertClosed() =>
        Assert.DoesNotContain(Directory.GetFiles("/proc/self/fd"), fd => new FileInfo(fd).LinkTarget == _directory["journal.db"]);

    /// <summary>Shows the test the actor that it makes.</summary>
    private sealed class Maker(Config config) : IIndirectActorProducer
    {
        public SqlWriteJournal? Made { get; private set; }

        public Type ActorType => typeof(SqlWriteJournal);

        public ActorBase Produce() => Made = new SqlWriteJournal(config);

        public void Release(ActorBase actor)
        {
        }
    }
}
