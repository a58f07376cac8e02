using Akka.Actor;

namespace Akka.Hosting;

/// <summary>The registry of one actor system.</summary>
public class ActorRegistry : IActorRegistry, IExtension
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Type, IActorRef> _actors = [];
    private readonly Dictionary<Type, TaskCompletionSource<IActorRef>> _awaited = [];

    public static ActorRegistry For(ActorSystem actorSystem) => actorSystem.WithExtension<ActorRegistry, ActorRegistryExtension>();

    public void Register<TKey>(IActorRef actor, bool overwrite = false)
    {
        if (!TryRegister<TKey>(actor, overwrite))
            throw new DuplicateActorRegistryException($"An actor for [{typeof(TKey)}] has already been registered");
    }

    public bool TryRegister<TKey>(IActorRef actor, bool overwrite = false) => TryRegister(typeof(TKey), actor, overwrite);

    public bool TryRegister(Type key, IActorRef actor, bool overwrite = false)
    {
        ArgumentNullException.ThrowIfNull(actor);
        TaskCompletionSource<IActorRef>? awaited;
        lock (_lock)
        {
            if (overwrite) _actors[key] = actor;
            else if (!_actors.TryAdd(key, actor)) return false;
            _awaited.Remove(key, out awaited);
        }
        awaited?.TrySetResult(actor);
        return true;
    }

    public bool TryGet<TKey>(out IActorRef actor) => TryGet(typeof(TKey), out actor);

    public bool TryGet(Type key, out IActorRef actor)
    {
        lock (_lock)
        {
            var found = _actors.TryGetValue(key, out var registered);
            actor = registered ?? ActorRefs.Nobody;
            return found;
        }
    }

    public IActorRef Get<TKey>() => TryGet<TKey>(out var actor)
        ? actor
        : throw new MissingActorRegistryEntryException($"No actor registered for key {typeof(TKey).FullName}");

    public Task<IActorRef> GetAsync<TKey>(CancellationToken ct = default)
    {
        lock (_lock)
        {
            if (_actors.TryGetValue(typeof(TKey), out var actor)) return Task.FromResult(actor);
            if (!_awaited.TryGetValue(typeof(TKey), out var awaited))
                _awaited[typeof(TKey)] = awaited = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return awaited.Task.WaitAsync(ct);
        }
    }
}

/// <summary>The registry as an extension.</summary>
public sealed class ActorRegistryExtension : ExtensionIdProvider<ActorRegistry>
{
    public override ActorRegistry CreateExtension(ExtendedActorSystem system) => new();
}
