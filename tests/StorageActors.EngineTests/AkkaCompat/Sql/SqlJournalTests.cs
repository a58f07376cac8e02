using Akka.Actor;
using Akka.Persistence;
using Akka.Persistence.Journal;
using Akka.TestKit.Xunit2;
using StorageActors.EngineTests.AkkaCompat.PersistentActors;
using StorageActors.EngineTests.Support;
using Xunit;
using static StorageActors.EngineTests.AkkaCompat.PersistentActors.Scripted;

namespace StorageActors.EngineTests.AkkaCompat.Sql;

/// <summary>What the SQL plugins leave in the database.</summary>
public sealed class SqlJournalTests : TestKit
{
    private readonly SqlTestDatabase _database;

    public SqlJournalTests() : this(new SqlTestDatabase()) { }

    private SqlJournalTests(SqlTestDatabase database) : base($$"""
        {{Patient.Hocon}}
        akka { loglevel = OFF, stdout-loglevel = OFF }
        akka.actor {
          serializers.shapes = "{{typeof(ShapeSerializer).AssemblyQualifiedName}}"
          serialization-bindings { "{{typeof(IShape).AssemblyQualifiedName}}" = shapes }
        }
        {{database.Configuration()}}
        """) => _database = database;

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _database.Dispose();
    }

    private IActorRef StartFresh(string id)
    {
        var actor = Watch(Sys.ActorOf(Scripted.Props(id, TestActor)));
        ExpectMsg("recovered");
        return actor;
    }

    [Fact]
    public void The_tables_are_those_of_the_official_plugin()
    {
        StartFresh("p");
        Assert.Equal(
            [
                "ordering|INTEGER|1||1", "created|BigInt|1||0", "deleted|Bit|1||0", "persistence_id|NVarChar(255)|1||0",
                "sequence_number|BigInt|1||0", "message|VarBinary|1||0", "manifest|NVarChar(500)|0||0", "identifier|INTEGER|0||0",
                "writer_uuid|NVarChar(128)|0||0",
            ],
            _database.Query("SELECT name, type, \"notnull\", '', pk FROM pragma_table_info('journal')"));
        Assert.Equal(
            ["ordering_id|INTEGER|1||1", "tag|NVarChar(64)|1||2", "sequence_nr|INTEGER|1||0", "persistence_id|NVarChar(255)|1||0"],
            _database.Query("SELECT name, type, \"notnull\", '', pk FROM pragma_table_info('tags')"));
        Assert.Equal(
            [
                "persistence_id|NVarChar(255)|1||1", "sequence_number|BigInt|1||2", "created|BigInt|1||0", "snapshot|VarBinary|0||0",
                "manifest|NVarChar(500)|0||0", "serializer_id|INTEGER|0||0",
            ],
            _database.Query("SELECT name, type, \"notnull\", '', pk FROM pragma_table_info('snapshot')"));
        Assert.Equal(
            [
                "journal|journal_created_idx|0|created", "journal|journal_sequence_number_idx|0|sequence_number",
                "journal|journal_uq|1|persistence_id,sequence_number", "snapshot|snapshot_created_idx|0|created",
                "snapshot|snapshot_sequence_number_idx|0|sequence_number", "tags|tags_persistence_id_sequence_nr_idx|0|persistence_id,sequence_nr",
                "tags|tags_tag_idx|0|tag",
            ],
            _database.Query("""
                SELECT m.tbl_name, m.name, l."unique", (SELECT group_concat(name) FROM pragma_index_info(m.name))
                FROM sqlite_master m JOIN pragma_index_list(m.tbl_name) l ON l.name = m.name WHERE m.sql IS NOT NULL ORDER BY m.tbl_name, m.name
                """));
        Assert.Equal(["journal", "snapshot", "sqlite_sequence", "tags"], _database.Query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1"));
        Assert.Single(_database.Query("SELECT 1 FROM sqlite_master WHERE name = 'journal' AND sql LIKE '%AUTOINCREMENT%'"));
    }

    [Fact]
    public void A_row_holds_the_event_and_nothing_of_its_envelope()
    {
        var before = DateTime.UtcNow.Ticks;
        foreach (var id in (string[])["p", "q"])
        {
            var actor = StartFresh(id);
            actor.Tell(new Do(a => a.Store("event")));
            ExpectMsg("stored event");
        }
        Assert.Equal(
            ["1|0|p|1|\"event\"||1", "2|0|q|1|\"event\"||1"],
            _database.Query("SELECT ordering, deleted, persistence_id, sequence_number, CAST(message AS TEXT), manifest, identifier FROM journal"));
        Assert.All(_database.Query("SELECT created FROM journal"), created => Assert.InRange(long.Parse(created), before, DateTime.UtcNow.Ticks));
        var writer = Assert.Single(_database.Query("SELECT DISTINCT writer_uuid FROM journal"));
        Assert.True(Guid.TryParseExact(writer, "N", out _));
    }

    [Fact]
    public void Deleting_leaves_one_marked_row_so_that_numbers_are_not_used_again()
    {
        var actor = StartFresh("p");
        actor.Tell(new Do(a => a.PersistAll(["a", "b", "c"], a.Say)));
        ReceiveN(3);
        actor.Tell(new Do(a => a.DeleteMessages(2)));
        ExpectMsg("deleted to 2");
        Assert.Equal(["2|1", "3|0"], _database.Query("SELECT sequence_number, deleted FROM journal ORDER BY 1"));
        actor.Tell(new Do(a => a.DeleteMessages(3)));
        ExpectMsg("deleted to 3");
        Assert.Equal(["3|1"], _database.Query("SELECT sequence_number, deleted FROM journal ORDER BY 1"));
    }

    [Fact]
    public void Tags_go_to_a_table_of_their_own_and_with_their_event()
    {
        var actor = StartFresh("p");
        actor.Tell(new Do(a =>
        {
            a.Store("plain");
            a.Persist<object>(new Tagged("event", ["red", "blue"]), e => a.Say($"stored {e.GetType().Name}"));
        }));
        ExpectMsg("stored plain");
        ExpectMsg("stored Tagged");
        Assert.Equal(["2|blue|2|p", "2|red|2|p"], _database.Query("SELECT ordering_id, tag, sequence_nr, persistence_id FROM tags ORDER BY tag"));
        Assert.Equal(["\"event\""], _database.Query("SELECT CAST(message AS TEXT) FROM journal WHERE ordering = 2"));
        actor.Tell(new Do(a => a.DeleteMessages(2)));
        ExpectMsg("deleted to 2");
        Assert.Empty(_database.Query("SELECT * FROM tags"));
    }

    [Fact]
    public void A_serializers_manifest_is_stored_and_chooses_the_type_again()
    {
        var seen = new List<object>();
        var actor = StartFresh("p");
        actor.Tell(new Do(a => a.PersistAll<object>([new Circle(1), new Square(2)], e => a.Say($"stored {e}"))));
        ReceiveN(2);
        actor.Tell(new Do(a => a.SaveSnapshot(new Circle(3))));
        ExpectMsg("saved 2");
        Assert.Equal(["circle|4711|1", "square|4711|2"], _database.Query("SELECT manifest, identifier, CAST(message AS TEXT) FROM journal"));
        Assert.Equal(["circle|4711|3"], _database.Query("SELECT manifest, serializer_id, CAST(snapshot AS TEXT) FROM snapshot"));
        Sys.Stop(actor);
        ExpectTerminated(actor);
        Sys.ActorOf(Akka.Actor.Props.Create(() => new ShapeReader("p", TestActor)));
        ExpectMsg(new Circle(3));
        Sys.ActorOf(Akka.Actor.Props.Create(() => new ShapeReader("p", TestActor, SnapshotSelectionCriteria.None)));
        ExpectMsg(new Circle(1));
        ExpectMsg(new Square(2));
    }

    [Fact]
    public void What_cannot_be_serialized_is_rejected_as_a_whole_and_the_actor_goes_on()
    {
        var actor = StartFresh("p");
        actor.Tell(new Do(a =>
        {
            a.PersistAll<object>([new Circle(1), new Hexagon()], e => a.Say($"stored {e}"));
            a.Store("next");
        }));
        Assert.Equal(["rejected Circle as 1", "rejected Hexagon as 2", "stored next"], ReceiveN(3).Cast<string>());
        Assert.Equal(["3"], _database.Query("SELECT sequence_number FROM journal"));
    }

    [Fact]
    public void A_second_writer_of_an_id_is_stopped_and_does_not_take_others_with_it()
    {
        var (first, second, other) = (StartFresh("p"), StartFresh("p"), StartFresh("q"));
        first.Tell(new Do(a => a.Store("a")));
        ExpectMsg("stored a");
        second.Tell(new Do(a => a.Store("b")));
        other.Tell(new Do(a => a.Store("c")));
        var answers = ReceiveN(3);   // of two actors, in any order
        Assert.Contains("failed b as 1", answers);
        Assert.Contains("stored c", answers);
        Assert.Contains(answers, answer => answer is Terminated ended && ended.ActorRef.Equals(second));
    }

    [Fact]
    public void Writes_of_many_actors_share_transactions()
    {
        var actors = Enumerable.Range(0, 50).Select(n => StartFresh($"p{n}")).ToList();
        var before = WriteAheadLog.Commits(_database.Path);
        using (var other = _database.Open())
        {
            using var command = other.CreateCommand();
            command.CommandText = "BEGIN IMMEDIATE";
            command.ExecuteNonQuery();
            foreach (var actor in actors)
            {
                actor.Tell(new Do(a => a.PersistAsync("event", e => a.Say($"stored {e}"))));
                actor.Tell(new Do(a => a.Say("sent"))); // An actor tells the journal before it takes its next command.
            }

            ReceiveN(50);
            // An answer to this comes when the journal has seen all the writes told to it before.
            Akka.Persistence.Persistence.Instance.Apply(Sys).JournalFor(null).Tell(new ReplayMessages(1, 1, 1, "none", TestActor));
            ExpectMsg<RecoverySuccess>();
            Assert.Empty(_database.Query("SELECT * FROM journal"));
            command.CommandText = "ROLLBACK";
            command.ExecuteNonQuery();
        }
        ReceiveN(50);
        Assert.Equal(["50"], _database.Query("SELECT count(*) FROM journal"));
        Assert.InRange(WriteAheadLog.Commits(_database.Path) - before, 1, 5);
    }

    [Fact]
    public void An_event_that_an_older_writer_stored_after_a_newer_one_is_not_replayed()
    {
        var actor = StartFresh("p");
        actor.Tell(new Do(a => a.PersistAll(["a", "b", "c"], a.Say)));
        ReceiveN(3);
        Sys.Stop(actor);
        ExpectTerminated(actor);
        _database.Query("UPDATE journal SET writer_uuid = 'newer' WHERE sequence_number = 2");
        actor = Sys.ActorOf(Scripted.Props("p", TestActor));
        Assert.Equal(["replayed a", "replayed b", "recovered"], ReceiveN(3).Cast<string>());
        actor.Tell(new Do(a => a.Say(a.LastSequenceNr.ToString())));
        ExpectMsg("3");
    }

    [Fact]
    public void A_recovery_longer_than_a_page_has_all_events()
    {
        var actor = StartFresh("p");
        actor.Tell(new Do(a => a.PersistAll(Enumerable.Range(0, 2500).Select(n => $"{n}"), e =>
        {
            if (e == "2499") a.Say("stored");
        })));
        ExpectMsg("stored");
        Sys.Stop(actor);
        ExpectTerminated(actor);
        Sys.ActorOf(Scripted.Props("p", TestActor));
        Assert.Equal(Enumerable.Range(0, 2500).Select(n => $"replayed {n}"), ReceiveN(2500).Cast<string>());
        ExpectMsg("recovered");
    }

    [Fact]
    public async Task The_file_is_closed_when_the_actor_system_has_ended()
    {
        var actor = StartFresh("p");
        actor.Tell(new Do(a => a.Store("event")));
        ExpectMsg("stored event");
        Assert.True(File.Exists(_database.Path + "-wal"));
        await Sys.Terminate();
        Assert.False(File.Exists(_database.Path + "-wal"));
        Assert.DoesNotContain(Directory.GetFiles("/proc/self/fd"), fd => new FileInfo(fd).LinkTarget == _database.Path);
    }

    /// <summary>Tells the test each shape that it recovers.</summary>
    private sealed class ShapeReader : ReceivePersistentActor
    {
        public ShapeReader(string id, IActorRef test, SnapshotSelectionCriteria? from = null)
        {
            (PersistenceId, Recovery) = (id, new Akka.Persistence.Recovery(from ?? SnapshotSelectionCriteria.Latest));
            Recover<SnapshotOffer>(offer => test.Tell(offer.Snapshot));
            Recover<IShape>(shape => test.Tell(shape));
        }

        public override string PersistenceId { get; }

        public override Akka.Persistence.Recovery Recovery { get; }
    }
}
