using Akka.Actor;
using Akka.TestKit.Xunit2;
using StorageActors.EngineTests.AkkaCompat.PersistentActors;
using StorageActors.EngineTests.AkkaCompat.Sql;
using StorageActors.EngineTests.Support;
using StorageActors.Linux;
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

    /// <summary>SQLite takes what it cannot open for writing for reading alone, and such a connection would refuse each write for as long as it lives.</summary>
    [SkippableFact]
    public void A_database_that_could_not_be_opened_for_writing_is_opened_again_and_not_kept_for_reading()
    {
        RequiredTiers.SkipUnlessRoot();
        Directory.CreateDirectory(_directory["missing"]);
        File.WriteAllBytes(_directory["missing/journal.db"], []);
        using var file = Libc.Open(_directory["missing/journal.db"], OpenFlags.NoFollow, 0);
        var errno = Libc.TryGetInodeFlags(file, out var flags);
        if (errno == Errno.None) errno = Libc.TrySetInodeFlags(file, flags | InodeFlags.Immutable);
        Skip.If(errno != Errno.None, "needs a file system whose files can be made immutable");
        var actor = Watch(Sys.ActorOf(Scripted.Props("p", TestActor)));
        ExpectMsg("recovery failed on nothing: SqliteException");
        ExpectTerminated(actor);
        Assert.Equal(Errno.None, Libc.TrySetInodeFlags(file, flags));
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
