using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using StorageActors.Protocol;

namespace StorageActors.Layers;

/// <summary>
/// A message on its way to an actor, and who wants its answer. It stands in for the requester, so that whoever sent it on knows whether it was answered, also when that
/// actor dies with it in its mailbox: the first answer goes to the requester, a second one nowhere.
/// </summary>
[SuppressMessage("Design", "MA0097", Justification = "Addresses are compared for order by Akka alone.")]
internal sealed class Errand : MinimalActorRef
{
    private readonly IActorRef _requester;
    private readonly IActorRef _sender;
    private object? _answer;
    private ActorPath? _path;

    /// <param name="message">The message.</param>
    /// <param name="requester">Gets the answer.</param>
    /// <param name="context">The actor that sends it on.</param>
    internal Errand(object message, IActorRef requester, IActorContext context)
    {
        (Message, _requester) = (message, requester);
        _sender = context.Self;
        Provider = ((ExtendedActorSystem)context.System).Provider;
    }

    /// <inheritdoc/>
    public override ActorPath Path => _path ??= _sender.Path / "errand";

    /// <inheritdoc/>
    public override IActorRefProvider Provider { get; }

    internal object Message { get; }

    /// <summary>The answer that was given; null while there is none.</summary>
    internal object? Answer => Volatile.Read(ref _answer);

    internal bool IsAnswered => Answer is not null;

    /// <summary>How often an actor was given it.</summary>
    internal int Deliveries { get; private set; }

    /// <summary>Hands it to an actor, which answers to this.</summary>
    internal void DeliverTo(IActorRef actor)
    {
        Deliveries++;
        actor.Tell(Message, this);
    }

    /// <summary>Answers it, unless it was.</summary>
    internal void Refuse(StorageError error) => this.Tell(new StoreProtocol.Refused(error), ActorRefs.NoSender);

    /// <inheritdoc/>
    protected override void TellInternal(object message, IActorRef sender)
    {
        if (Interlocked.CompareExchange(ref _answer, message, null) is null) _requester.Tell(message, sender);
    }
}

/// <summary>Errands in the order they came; forgets those that were answered.</summary>
internal sealed class Errands
{
    private const int Fewest = 32;

    private readonly List<Errand> _errands = [];
    private int _most = Fewest;

    /// <summary>Those that nobody has answered yet.</summary>
    internal List<Errand> Open => _errands.FindAll(static errand => !errand.IsAnswered);

    internal void Add(Errand errand)
    {
        if (_errands.Count >= _most)
        {
            _errands.RemoveAll(static known => known.IsAnswered);
            _most = Math.Max(Fewest, _errands.Count * 2);
        }

        _errands.Add(errand);
    }

    /// <summary>Answers all that are open, and forgets them.</summary>
    internal void Refuse(StorageError error)
    {
        foreach (var errand in Open) errand.Refuse(error);
        _errands.Clear();
    }
}
