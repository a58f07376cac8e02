using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.DependencyInjection;
using Akka.Hosting.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Akka.Hosting;

/// <summary>How a piece of HOCON combines with what is there already.</summary>
public enum HoconAddMode
{
    /// <summary>The new piece counts where nothing else says something.</summary>
    Append,

    /// <summary>The new piece wins.</summary>
    Prepend,

    /// <summary>The same as Prepend: nothing is dropped.</summary>
    Replace,
}

/// <summary>Puts an actor system under a .NET host.</summary>
public static class AkkaHostingExtensions
{
    /// <summary>Adds an actor system that starts and ends with the host.</summary>
    /// <remarks>The builder runs when the actor system is first resolved, at the latest when the host starts.</remarks>
    public static IServiceCollection AddAkka(
        this IServiceCollection services, string actorSystemName, Action<AkkaConfigurationBuilder> builder) =>
        services.AddAkka(actorSystemName, (b, _) => builder(b));

    public static IServiceCollection AddAkka(
        this IServiceCollection services, string actorSystemName, Action<AkkaConfigurationBuilder, IServiceProvider> builder)
    {
        services.AddSingleton(provider =>
        {
            var configuration = new AkkaConfigurationBuilder(services, actorSystemName);
            builder(configuration, provider);
            return configuration;
        });
        services.AddSingleton(provider => provider.GetRequiredService<AkkaConfigurationBuilder>().CreateSystem(provider));
        services.TryAddSingleton(provider => ActorRegistry.For(provider.GetRequiredService<ActorSystem>()));
        services.TryAddSingleton<IActorRegistry>(provider => provider.GetRequiredService<ActorRegistry>());
        services.TryAddSingleton<IReadOnlyActorRegistry>(provider => provider.GetRequiredService<ActorRegistry>());
        services.TryAddSingleton(typeof(IRequiredActor<>), typeof(RequiredActor<>));
        services.AddSingleton<IHostedService, AkkaHostedService>();
        return services;
    }

    public static AkkaConfigurationBuilder AddHocon(this AkkaConfigurationBuilder builder, Config hocon, HoconAddMode addMode) =>
        builder.AddHoconConfiguration(hocon, addMode);

    /// <summary>Adds a .NET configuration section as HOCON; keys are taken in lower case if normalized.</summary>
    public static AkkaConfigurationBuilder AddHocon(
        this AkkaConfigurationBuilder builder, IConfiguration configuration, HoconAddMode addMode, bool normalizeKeys = true) =>
        builder.AddHoconConfiguration(ConfigurationHocon.From(configuration, normalizeKeys), addMode);

    public static AkkaConfigurationBuilder AddHoconFile(this AkkaConfigurationBuilder builder, string hoconFilePath, HoconAddMode addMode) =>
        builder.AddHoconConfiguration(ConfigurationFactory.ParseString(File.ReadAllText(hoconFilePath)), addMode);

    public static AkkaConfigurationBuilder AddSetup(this AkkaConfigurationBuilder builder, Setup setup) => builder.AddActorSystemSetup(setup);

    public static AkkaConfigurationBuilder WithActorRefProvider(this AkkaConfigurationBuilder builder, ProviderSelection providerSelection) =>
        builder.WithProvider(providerSelection);

    public static AkkaConfigurationBuilder WithActorAskTimeout(this AkkaConfigurationBuilder builder, TimeSpan timeout) =>
        builder.AddHocon($"akka.actor.ask-timeout = {timeout.TotalMilliseconds}ms", HoconAddMode.Prepend);

    /// <summary>Starts actors when the system is up; starters run one after another in the order they are given.</summary>
    public static AkkaConfigurationBuilder WithActors(this AkkaConfigurationBuilder builder, Action<ActorSystem, IActorRegistry> actorStarter) =>
        builder.StartActors(actorStarter);

    public static AkkaConfigurationBuilder WithActors(
        this AkkaConfigurationBuilder builder, Action<ActorSystem, IActorRegistry, IDependencyResolver> actorStarter) =>
        builder.StartActors(actorStarter);

    public static AkkaConfigurationBuilder WithActors(this AkkaConfigurationBuilder builder, ActorStarter starter) => builder.StartActors(starter);

    public static AkkaConfigurationBuilder WithActors(this AkkaConfigurationBuilder builder, ActorStarterWithResolver starter) =>
        builder.StartActors(starter);

    public static AkkaConfigurationBuilder ConfigureLoggers(this AkkaConfigurationBuilder builder, Action<LoggerConfigBuilder> configurator)
    {
        var loggers = new LoggerConfigBuilder(builder);
        configurator(loggers);
        return builder.AddHocon(loggers.ToConfig(), HoconAddMode.Prepend);
    }
}
