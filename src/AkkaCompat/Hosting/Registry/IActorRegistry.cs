using Akka.Actor;

namespace Akka.Hosting;

/// <summary>Actors of a system by the type that stands for them.</summary>
public interface IReadOnlyActorRegistry
{
    /// <summary>False, and nobody, if there is none.</summary>
    bool TryGet<TKey>(out IActorRef actor);

    bool TryGet(Type key, out IActorRef actor);

    /// <summary>The actor; <see cref="MissingActorRegistryEntryException"/> if there is none.</summary>
    IActorRef Get<TKey>();

    /// <summary>The actor, as soon as it is registered.</summary>
    Task<IActorRef> GetAsync<TKey>(CancellationToken ct = default);
}

/// <summary>Actors of a system by the type that stands for them, with the right to add some.</summary>
public interface IActorRegistry : IReadOnlyActorRegistry
{
    /// <summary>Adds the actor; <see cref="DuplicateActorRegistryException"/> if there is one and it may not be replaced.</summary>
    void Register<TKey>(IActorRef actor, bool overwrite = false);

    bool TryRegister<TKey>(IActorRef actor, bool overwrite = false);

    bool TryRegister(Type key, IActorRef actor, bool overwrite = false);
}

/// <summary>An actor was registered twice under one key.</summary>
public sealed class DuplicateActorRegistryException(string message) : Exception(message);

/// <summary>No actor is registered under a key.</summary>
public sealed class MissingActorRegistryEntryException(string message) : Exception(message);

/// <summary>An actor that a service asks for in its constructor.</summary>
public interface IRequiredActor<TActor>
{
    /// <summary>The actor; <see cref="MissingActorRegistryEntryException"/> as long as it is not registered.</summary>
    IActorRef ActorRef { get; }

    /// <summary>The actor, as soon as it is registered.</summary>
    Task<IActorRef> GetAsync(CancellationToken cancellationToken = default);
}

/// <summary>Looks the actor up in the registry, once.</summary>
public sealed class RequiredActor<TActor>(IReadOnlyActorRegistry registry) : IRequiredActor<TActor>
{
    private IActorRef? _actor;

    public IActorRef ActorRef => _actor ??= registry.Get<TActor>();

    public async Task<IActorRef> GetAsync(CancellationToken cancellationToken = default) =>
        _actor ??= await registry.GetAsync<TActor>(cancellationToken).ConfigureAwait(false);
}
