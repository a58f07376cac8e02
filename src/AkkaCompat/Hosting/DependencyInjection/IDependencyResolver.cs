using Akka.Actor;

namespace Akka.DependencyInjection;

/// <summary>Makes actors with services of the host. Given arguments come first; the rest is resolved from the root provider.</summary>
/// <remarks>Nothing resolved is released with the actor: what must be comes from a scope of the actor's own.</remarks>
public interface IDependencyResolver
{
    IResolverScope CreateScope();
    object? GetService(Type type);
    T? GetService<T>();
    Props Props(Type type, params object[] args);
    Props Props(Type type);
    Props Props<T>(params object[] args) where T : ActorBase;
}

/// <summary>A resolver with a life of its own.</summary>
public interface IResolverScope : IDisposable
{
    IDependencyResolver Resolver { get; }
}
