using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Akka.DependencyInjection;

/// <summary>The host's services, as an actor system is given them.</summary>
public class DependencyResolverSetup : Setup
{
    private DependencyResolverSetup(IDependencyResolver resolver) => DependencyResolver = resolver;

    public IDependencyResolver DependencyResolver { get; }

    public static DependencyResolverSetup Create(IServiceProvider provider) => new(new ServiceProviderDependencyResolver(provider));

    public static DependencyResolverSetup Create(IDependencyResolver resolver) => new(resolver);
}

/// <summary>Makes actors with services of the host.</summary>
public sealed class DependencyResolver(IDependencyResolver resolver) : IExtension
{
    public IDependencyResolver Resolver { get; } = resolver;

    public static DependencyResolver For(ActorSystem actorSystem) =>
        actorSystem.WithExtension<DependencyResolver, DependencyResolverExtension>();

    public Props Props(Type type, params object[] args) => Resolver.Props(type, args);

    public Props Props(Type type) => Resolver.Props(type);

    public Props Props<T>(params object[] args) where T : ActorBase => Resolver.Props<T>(args);
}

/// <summary>The resolver as an extension.</summary>
public sealed class DependencyResolverExtension : ExtensionIdProvider<DependencyResolver>
{
    public override DependencyResolver CreateExtension(ExtendedActorSystem system)
    {
        var setup = system.Settings.Setup.Get<DependencyResolverSetup>();
        return setup.HasValue
            ? new DependencyResolver(setup.Value.DependencyResolver)
            : throw new ConfigurationException($"Unable to find [{nameof(DependencyResolverSetup)}] in the actor system's setup");
    }
}

internal sealed class ServiceProviderDependencyResolver(IServiceProvider provider) : IDependencyResolver
{
    public IResolverScope CreateScope() => new Scope(provider.CreateScope());

    public object? GetService(Type type) => provider.GetService(type);

    public T? GetService<T>() => provider.GetService<T>();

    public Props Props(Type type, params object[] args) => Akka.Actor.Props.CreateBy(new Producer(provider, type, args));

    public Props Props(Type type) => Props(type, []);

    public Props Props<T>(params object[] args) where T : ActorBase => Props(typeof(T), args);

    private sealed class Scope(IServiceScope scope) : IResolverScope
    {
        public IDependencyResolver Resolver { get; } = new ServiceProviderDependencyResolver(scope.ServiceProvider);

        public void Dispose() => scope.Dispose();
    }

    private sealed class Producer(IServiceProvider provider, Type type, object[] args) : IIndirectActorProducer
    {
        public Type ActorType => type;

        public ActorBase Produce() => (ActorBase)ActivatorUtilities.CreateInstance(provider, type, args);

        public void Release(ActorBase actor) { }
    }
}
