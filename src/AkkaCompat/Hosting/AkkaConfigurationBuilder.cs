using System.Collections.Immutable;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.DependencyInjection;
using Akka.Hosting.Logging;
using Akka.Serialization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Akka.Hosting;

/// <summary>Starts actors; the system waits for it.</summary>
public delegate Task ActorStarter(ActorSystem system, IActorRegistry registry);

/// <summary>Starts actors with services of the host; the system waits for it.</summary>
public delegate Task ActorStarterWithResolver(ActorSystem system, IActorRegistry registry, IDependencyResolver resolver);

/// <summary>Runs when all actors are started; the system waits for it.</summary>
public delegate Task StartupTask(ActorSystem system, IActorRegistry registry);

/// <summary>Collects what an actor system is made of.</summary>
public sealed class AkkaConfigurationBuilder
{
    private readonly string _name;
    private readonly List<Setup> _setups = [];
    private readonly List<Type> _extensions = [];
    private readonly List<ActorStarterWithResolver> _starters = [];
    private readonly List<StartupTask> _startupTasks = [];
    private readonly List<Func<ExtendedActorSystem, SerializerDetails>> _serializers = [];
    private Config _config = Config.Empty;
    private ProviderSelection _provider = ProviderSelection.Local.Instance;

    internal AkkaConfigurationBuilder(IServiceCollection services, string actorSystemName) => (Services, _name) = (services, actorSystemName);

    internal IServiceCollection Services { get; }

    public AkkaConfigurationBuilder StartActors(Action<ActorSystem, IActorRegistry> starter) =>
        StartActors((system, registry, _) => starter(system, registry));

    public AkkaConfigurationBuilder StartActors(Action<ActorSystem, IActorRegistry, IDependencyResolver> starter) =>
        StartActors((ActorStarterWithResolver)((system, registry, resolver) =>
        {
            starter(system, registry, resolver);
            return Task.CompletedTask;
        }));

    public AkkaConfigurationBuilder StartActors(ActorStarter starter) =>
        StartActors((ActorStarterWithResolver)((system, registry, _) => starter(system, registry)));

    public AkkaConfigurationBuilder StartActors(ActorStarterWithResolver starter)
    {
        _starters.Add(starter);
        return this;
    }

    public AkkaConfigurationBuilder AddStartup(Action<ActorSystem, IActorRegistry> startupTask) =>
        AddStartup((StartupTask)((system, registry) =>
        {
            startupTask(system, registry);
            return Task.CompletedTask;
        }));

    public AkkaConfigurationBuilder AddStartup(StartupTask startupTask)
    {
        _startupTasks.Add(startupTask);
        return this;
    }

    /// <summary>Binds types to a serializer.</summary>
    public AkkaConfigurationBuilder WithCustomSerializer(
        string serializerIdentifier, IEnumerable<Type> boundTypes, Func<ExtendedActorSystem, Serializer> serializerFactory)
    {
        _serializers.Add(system => SerializerDetails.Create(serializerIdentifier, serializerFactory(system), boundTypes.ToImmutableHashSet()));
        return this;
    }

    /// <summary>Starts extensions, named by their ids, before any actor.</summary>
    public AkkaConfigurationBuilder WithExtensions(params Type[] extensions)
    {
        _extensions.AddRange(extensions);
        return this;
    }

    public AkkaConfigurationBuilder WithExtension<T>() where T : IExtensionId => WithExtensions(typeof(T));

    internal AkkaConfigurationBuilder AddHoconConfiguration(Config hocon, HoconAddMode mode)
    {
        _config = mode == HoconAddMode.Append ? _config.WithFallback(hocon) : hocon.WithFallback(_config);
        return this;
    }

    internal AkkaConfigurationBuilder AddActorSystemSetup(Setup setup)
    {
        _setups.Add(setup);
        return this;
    }

    internal AkkaConfigurationBuilder WithProvider(ProviderSelection provider)
    {
        _provider = provider;
        return this;
    }

    internal ActorSystem CreateSystem(IServiceProvider provider)
    {
        var setups = new List<Setup>
        {
            BootstrapSetup.Create().WithConfig(_config).WithActorRefProvider(_provider),
            DependencyResolverSetup.Create(provider),
        };
        if (provider.GetService<ILoggerFactory>() is { } loggers) setups.Add(new LoggerFactorySetup(loggers));
        if (_serializers.Count > 0)
            setups.Add(SerializationSetup.Create(system => _serializers.Select(create => create(system)).ToImmutableHashSet()));
        // One of each type: what the user gave replaces ours.
        var byType = setups.Concat(_setups).GroupBy(setup => setup.GetType()).Select(same => same.Last());
        return ActorSystem.Create(_name, ActorSystemSetup.Create(byType.ToArray()));
    }

    internal async Task StartAsync(ActorSystem system)
    {
        foreach (var type in _extensions)
        {
            if (Activator.CreateInstance(type, nonPublic: true) is not IExtensionId extension)
                throw new ConfigurationException($"{type} is not the id of an extension");
            system.RegisterExtension(extension);
        }
        var registry = ActorRegistry.For(system);
        var resolver = DependencyResolver.For(system).Resolver;
        foreach (var starter in _starters) await starter(system, registry, resolver).ConfigureAwait(false);
        foreach (var task in _startupTasks) await task(system, registry).ConfigureAwait(false);
    }
}
