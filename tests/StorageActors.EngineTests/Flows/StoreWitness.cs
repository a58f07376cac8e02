using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Event;
using StorageActors.Catalog;
using StorageActors.Engine;
using StorageActors.EngineTests.Support;
using StorageActors.Journal;
using StorageActors.Protocol;
using StorageActors.Reading;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>
/// Sees every command to a store and every answer of it, and knows the rules:
/// <list type="bullet">
/// <item>each command has one answer, a kind of answer that it may have;</item>
/// <item>when it comes, the journal's file has the event, and a layer that somebody was just given is mounted;</item>
/// <item>nobody is told that a layer is not there which was made before he asked and not removed before he was told;</item>
/// <item>the journal is a history that the rules allow, event by event, and there are as many events as positive answers.</item>
/// </list>
/// </summary>
internal sealed class StoreWitness(StorageEngine engine, string root, DirectoryWorld world)
{
    private static readonly StorageErrorCode[] Allowed =
        [StorageErrorCode.NotFound, StorageErrorCode.AlreadyExists, StorageErrorCode.InUse, StorageErrorCode.WrongState, StorageErrorCode.InvalidArgument, StorageErrorCode.Busy];

    private readonly ConcurrentBag<Call> _calls = [];
    private readonly ConcurrentQueue<string> _warnings = [];
    private long _clock;

    /// <summary>Hears what the store warns of: here nothing fails but commands.</summary>
    internal void Listen() => engine.System.EventStream.Subscribe(engine.System.ActorOf(Props.Create(() => new Ear(_warnings))), typeof(Warning));

    /// <summary>Sends a command and waits for its answer, which is checked at once.</summary>
    internal async Task<object> AskAsync(StoreProtocol.ICommand command)
    {
        var call = new Call(command, Interlocked.Increment(ref _clock));
        _calls.Add(call);
        var mailbox = engine.System.ActorOf(Props.Create(() => new Mailbox(call)));
        engine.Store.Actor.Tell(command, mailbox);
        var answer = await call.Answered.Task.WaitAsync(Patient.Limit);
        call.Ended = Interlocked.Increment(ref _clock);
        Check(call, answer);
        return answer;
    }

    /// <summary>What a list shows: parents below children, each name once.</summary>
    internal void AssertMoment(object answer)
    {
        var layers = Assert.IsType<CatalogProtocol.Layers>(answer).Items;
        var known = new HashSet<LayerId>();
        Assert.All(layers, layer => Assert.True((layer.Parent is not { } parent || known.Contains(parent)) && known.Add(layer.Id), $"{layer.Id} is out of place"));
        Assert.Equal(layers.Sum(static layer => layer.Names.Count), layers.SelectMany(static layer => layer.Names).Distinct(StringComparer.Ordinal).Count());
    }

    /// <summary>After everything: the journal from its beginning.</summary>
    internal async Task AssertHistoryAsync()
    {
        var events = Journal();
        var (state, made, removed, @sealed) = (CatalogState.Empty, 0, 0, 0);
        foreach (var happened in events)
        {
            AssertAllowed(state, happened);
            state = state.Apply(happened);
            if (happened is CatalogEvent.LayerCommitted) made++;
            if (happened is CatalogEvent.LayerRemoved) removed++;
            if (happened is CatalogEvent.LayerSealed) @sealed++;
        }

        var layers = await engine.Client.ListLayersAsync();
        Assert.Equal(state.ListLayers().Select(static layer => (layer.Id, layer.Kind, string.Join(',', layer.Names))), layers.Select(static layer => (layer.Id, layer.Kind, string.Join(',', layer.Names))));
        var answers = _calls.Select(static call => call.Answer!).ToList();
        // A chain that was refused may leave the layers before the one that failed.
        Assert.InRange(made, answers.OfType<StoreProtocol.LayerCreated>().Count() + answers.OfType<StoreProtocol.Applied>().Sum(static applied => applied.Layers.Count(static layer => !layer.Reused)), int.MaxValue);
        Assert.Empty(_warnings);
        Assert.True(made >= 10 && removed >= 5 && answers.OfType<LayerProtocol.Acquired>().Count() >= 5, $"{made} made, {removed} removed, {answers.OfType<LayerProtocol.Acquired>().Count()} leases: too few to mean anything");
        Assert.Equal(removed, answers.OfType<StoreProtocol.LayerRemoved>().Count());
        Assert.Equal(@sealed, answers.OfType<StoreProtocol.LayerSealed>().Count());
        Assert.All(_calls, static call => Assert.True(Volatile.Read(ref call.Answers) == 1, $"{call.Command} was answered {call.Answers} times"));
    }

    private void Check(Call call, object answer)
    {
        switch (answer)
        {
            case StoreProtocol.Refused refused:
                Assert.True(Allowed.Contains(refused.Error.Code), $"{call.Command}: {refused.Error}");
                if (refused.Error.Code == StorageErrorCode.NotFound) AssertWasMissing(call, refused.Error);
                break;
            case StoreProtocol.LayerCreated created:
                AssertJournaled(created.Layer);
                break;
            case StoreProtocol.Applied applied:
                foreach (var layer in applied.Layers.Where(static layer => !layer.Reused)) AssertJournaled(layer.Layer);
                break;
            case StoreProtocol.LayerSealed done:
                Assert.Contains(Journal(), happened => happened is CatalogEvent.LayerSealed { Layer: var layer } && layer.Id == done.Layer.Id && layer.Created == done.Layer.Created);
                break;
            case StoreProtocol.LayerRemoved gone:
                Assert.Contains(Journal(), happened => happened is CatalogEvent.LayerRemoved removed && removed.Layer == gone.Layer);
                break;
            case LayerProtocol.Acquired acquired:
                AssertMounted(call, acquired);
                break;
        }
    }

    private void AssertJournaled(LayerRecord made) =>
        Assert.Contains(Journal(), happened => happened is CatalogEvent.LayerCommitted { Layer: var layer } && layer.Id == made.Id && layer.Created == made.Created);

    /// <summary>The lease keeps it mounted, unless somebody ends what is not his.</summary>
    private void AssertMounted(Call call, LayerProtocol.Acquired acquired)
    {
        if (world.Mounts.ContainsKey(acquired.MountPath)) return;
        Assert.Contains(_calls, other => other != call && IsLate(other, call.Sent) && other.Command switch
        {
            StoreProtocol.Remove remove => remove.Force && remove.Layer == acquired.Layer,
            LayerProtocol.ReleaseAll all => all.Layer == acquired.Layer,
            LayerProtocol.Release release => release.Layer == acquired.Layer && (release.Lease is null || release.Lease == acquired.Lease),
            _ => false,
        });
    }

    private void AssertWasMissing(Call call, StorageError error)
    {
        if (call.Command is not LayerProtocol.Acquire { Layer: var id }) return;
        var made = _calls.Where(other => other.Ended is > 0 and var ended && ended < call.Sent && Makes(other, id)).Select(static other => other.Sent).DefaultIfEmpty(0).Max();
        if (made == 0) return;
        // Who made it notes the end after the answer, and a removal that was sent before may have come in between.
        Assert.True(_calls.Any(other => other.Command is StoreProtocol.Remove remove && remove.Layer == id && IsLate(other, made)), $"{id} was made and not removed, but {call.Command} was told: {error}");
    }

    private static bool Makes(Call call, LayerId id) => Volatile.Read(ref call.Answer) switch
    {
        StoreProtocol.LayerCreated created => created.Layer.Id == id,
        StoreProtocol.Applied applied => applied.Layers.Any(layer => layer.Layer.Id == id),
        _ => false,
    };

    /// <summary>Not over by then: it may have done what it does later.</summary>
    private static bool IsLate(Call call, long moment)
    {
        var ended = Volatile.Read(ref call.Ended);
        return ended == 0 || ended > moment;
    }

    private static void AssertAllowed(CatalogState state, IJournalEvent happened)
    {
        switch (happened)
        {
            case CatalogEvent.LayerCommitted { Layer: var layer }:
                Assert.Null(state.FindLayer(layer.Id));
                Assert.True(layer.Parent is not { } parent || state.FindLayer(parent) is { Kind: LayerKind.Sealed, Damage: null }, $"{layer.Id} was made on nothing");
                break;
            case CatalogEvent.LayerRemoved removed:
                Assert.NotNull(state.FindLayer(removed.Layer));
                Assert.Empty(state.ChildrenOf(removed.Layer));
                break;
            case CatalogEvent.LayerSealed { Layer: var layer }:
                Assert.Equal(LayerKind.Writable, state.FindLayer(layer.Id)!.Kind);
                Assert.All(layer.Names, name => Assert.True(state.FindLayerName(name) is not { } owner || owner == layer.Id, $"{name} twice"));
                break;
            case CatalogEvent.LayerNamed named:
                Assert.NotNull(state.FindLayer(named.Layer));
                Assert.All(named.Names, name => Assert.True(state.FindLayerName(name) is not { } owner || owner == named.Layer, $"{name} twice"));
                break;
        }
    }

    private List<IJournalEvent> Journal() => JournalAccess.Read(Path.Combine(root, "journal.db"), isOwned: true, static journal => journal.Read("catalog").ToList());

    /// <summary>One command, when it was sent and answered, and how often.</summary>
    private sealed class Call(StoreProtocol.ICommand command, long sent)
    {
        internal object? Answer;
        internal int Answers;
        internal long Ended;

        internal StoreProtocol.ICommand Command { get; } = command;

        internal long Sent { get; } = sent;

        internal TaskCompletionSource<object> Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Ear : ReceiveActor
    {
        public Ear(ConcurrentQueue<string> warnings) => Receive<Warning>(warning => warnings.Enqueue($"{warning.LogSource}: {warning.Message}"));
    }

    private sealed class Mailbox : ReceiveActor
    {
        public Mailbox(Call call) => ReceiveAny(message =>
        {
            Interlocked.CompareExchange(ref call.Answer, message, null);
            Interlocked.Increment(ref call.Answers);
            call.Answered.TrySetResult(message);
        });
    }
}
