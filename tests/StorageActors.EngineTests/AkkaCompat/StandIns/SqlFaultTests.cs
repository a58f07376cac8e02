using Akka.Actor;
using Akka.TestKit.Xunit2;
using StorageActors.EngineTests.AkkaCompat.PersistentActors;
using StorageActors.EngineTests.AkkaCompat.Sql;
using StorageActors.EngineTests.Support;
using StorageActors.TestSupport;
using Xunit;
using static StorageActors.EngineTests.AkkaCompat.PersistentActors.Scripted;

namespace StorageActors.EngineTests.AkkaCompat.StandIns;

/// <summary>What becomes of persistent actors when their database is not what it should be.</summary>
public sealed class SqlFaultTests : TestKit
{
    private readonly TempDirectory _directory;

    public SqlFaultTests() : this(new TempDirectory()) { }

    private SqlFaultTests(TempDirectory directory) : base(
        Patient.Hocon + "akka { loglevel = ERROR, stdout-loglevel = OFF }\n" +
        SqlTestDatabase.Configuration($"Data Source={directory["missing/journal.db"]};Pooling=False", "SQLite.MS") + """
            other-mapping {
              class = "Akka.Persistence.Sql.Journal.SqlWriteJournal, Akka.Persistence.Sql"
              connection-string = "Data Source=/dev/null"
              provider-name = "SQLite.MS"
              table-mapping = sql-server
            }
            """) => _directory = directory;

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _directory.Dispose();
    }

    [Fact]
    public void A_database_that_cannot_be_opened_fails_the_recovery_and_is_tried_again_by_the_next()
    {
        var actor = Watch(Sys.ActorOf(Scripted.Props("p", TestActor)));
        ExpectMsg("recovery failed on nothing: SqliteException");
        ExpectTerminated(actor);
        Directory.CreateDirectory(_directory["missing"]);
        actor = Sys.ActorOf(Scripted.Props("p", TestActor));
        ExpectMsg("recovered");
        actor.Tell(new Do(a => a.Store("event")));
        ExpectMsg("stored event");
    }

    [Fact]
    public void A_setting_that_needs_the_official_plugin_is_refused_and_not_ignored()
    {
        EventFilter.Exception<ActorInitializationException>(checkInnerExceptions: true).ExpectOne(() =>
            Akka.Persistence.Persistence.Instance.Apply(Sys).JournalFor("other-mapping"));
    }
}
