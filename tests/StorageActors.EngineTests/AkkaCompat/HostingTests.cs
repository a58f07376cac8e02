using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Event;
using Akka.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;
using StorageActors.EngineTests.Support;
using Xunit;

namespace StorageActors.EngineTests.AkkaCompat;

/// <summary>What the engine and its hosts rely on in Akka.Hosting.</summary>
public sealed class HostingTests
{
    private sealed record Greeting(string Text);

    private sealed class Greeter(Greeting greeting, string name) : UntypedActor
    {
        protected override void OnReceive(object message) => Sender.Tell($"{greeting.Text}, {name}");
    }

    private sealed class Stopping(ConcurrentQueue<string> seen) : UntypedActor
    {
        protected override void OnReceive(object message) { }

        protected override void PostStop() => seen.Enqueue("actor stopped");
    }

    private sealed class Service(ConcurrentQueue<string> seen) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            seen.Enqueue("service started");
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            seen.Enqueue("service stopped");
            return Task.CompletedTask;
        }
    }

    private static IHost Build(Action<IServiceCollection> configure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        configure(builder.Services);
        return builder.Build();
    }

    [Fact]
    public async Task Starters_run_in_order_then_startup_tasks_and_actors_stop_with_the_host()
    {
        var seen = new ConcurrentQueue<string>();
        using var host = Build(services =>
        {
            services.AddAkka("hosted", builder => builder
                .AddHocon("akka.loglevel = ERROR", HoconAddMode.Prepend)
                .AddStartup((_, _) => seen.Enqueue("startup task"))
                .WithActors(async (_, _) =>
                {
                    await Task.Yield();
                    seen.Enqueue("first starter");
                })
                .WithActors((system, registry) =>
                {
                    seen.Enqueue("second starter");
                    registry.Register<Stopping>(system.ActorOf(Props.Create(() => new Stopping(seen))));
                }));
            services.AddSingleton<IHostedService>(new Service(seen));
        });

        await host.StartAsync();
        Assert.Equal(["first starter", "second starter", "startup task", "service started"], seen);
        var system = host.Services.GetRequiredService<ActorSystem>();
        await host.StopAsync();

        Assert.Equal(["service stopped", "actor stopped"], seen.Skip(4));
        Assert.True(system.WhenTerminated.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_required_actor_is_the_registered_one_and_gets_services_of_the_host()
    {
        using var host = Build(services => services
            .AddSingleton(new Greeting("Hello"))
            .AddAkka("hosted", (builder, _) => builder
                .AddHocon("akka.loglevel = ERROR", HoconAddMode.Prepend)
                .WithActors((system, registry, resolver) =>
                    registry.Register<Greeter>(system.ActorOf(resolver.Props<Greeter>("Ann"), "greeter")))));
        var required = host.Services.GetRequiredService<IRequiredActor<Greeter>>();
        Assert.Throws<MissingActorRegistryEntryException>(() => required.ActorRef);
        var early = required.GetAsync();

        await host.StartAsync();

        Assert.Equal("Hello, Ann", await required.ActorRef.Ask<string>("who"));
        Assert.Equal(required.ActorRef, await early);
        await host.StopAsync();
    }

    [Fact]
    public void A_key_is_registered_once_unless_overwritten()
    {
        IActorRegistry registry = new ActorRegistry();
        registry.Register<Greeter>(ActorRefs.Nobody);
        Assert.Throws<DuplicateActorRegistryException>(() => registry.Register<Greeter>(ActorRefs.Nobody));
        registry.Register<Greeter>(ActorRefs.Nobody, overwrite: true);
        Assert.Equal(ActorRefs.Nobody, registry.Get<Greeter>());
        Assert.False(registry.TryGet<Stopping>(out var missing));
        Assert.Equal(ActorRefs.Nobody, missing);
    }

    [Fact]
    public async Task A_failing_starter_fails_the_host_and_ends_the_system()
    {
        using var host = Build(services => services.AddAkka("hosted", builder => builder
            .AddHocon("akka { loglevel = OFF, stdout-loglevel = OFF, loggers = [] }", HoconAddMode.Prepend)
            .WithActors((_, _) => throw new InvalidOperationException("no store"))));
        await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync());
        Assert.True(host.Services.GetRequiredService<ActorSystem>().WhenTerminated.IsCompleted);
    }

    [Fact]
    public async Task A_system_that_ends_by_itself_stops_the_host()
    {
        using var host = Build(services => services.AddAkka("hosted", builder =>
            builder.AddHocon("akka.loglevel = ERROR", HoconAddMode.Prepend)));
        await host.StartAsync();
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var _ = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(stopping.SetResult);
        await host.Services.GetRequiredService<ActorSystem>().Terminate();
        await stopping.Task.WaitAsync(Patient.Limit);
    }

    [Fact]
    public async Task Configuration_is_laid_over_and_under_as_asked_for()
    {
        var section = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["My:Name"] = "from \"configuration\"",
            ["My:List:0"] = "a",
            ["My:List:1"] = "b",
        }).Build();
        using var host = Build(services => services.AddAkka("hosted", builder => builder
            .AddHocon("akka.loglevel = ERROR, my { first = 1, second = 1 }", HoconAddMode.Append)
            .AddHocon("my { first = 2, third = 2 }", HoconAddMode.Append)
            .AddHocon("my { second = 3 }", HoconAddMode.Prepend)
            .AddHocon(section, HoconAddMode.Append)));
        var config = host.Services.GetRequiredService<ActorSystem>().Settings.Config;
        Assert.Equal([1, 3, 2], ((string[])["my.first", "my.second", "my.third"]).Select(key => config.GetInt(key)));
        Assert.Equal("from \"configuration\"", config.GetString("my.name"));
        Assert.Equal(["a", "b"], config.GetStringList("my.list"));
        await host.Services.GetRequiredService<ActorSystem>().Terminate();
    }

    [Fact]
    public async Task The_log_goes_to_the_hosts_loggers()
    {
        var log = new AwaitingLogger();
        using var host = Build(services => services
            .AddLogging(logging => logging.AddProvider(log))
            .AddAkka("hosted", builder => builder.ConfigureLoggers(loggers => loggers.ClearLoggers().AddLoggerFactory())));
        await host.StartAsync();
        var system = host.Services.GetRequiredService<ActorSystem>();
        // Akka may lose what is logged in the moment after a system's creation.
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        do system.Log.Warning("seen by {0}", "the host");
        while (!log.Seen.IsCompleted && await timer.WaitForNextTickAsync());
        await host.StopAsync();
    }

    /// <summary>Waits for the line that the test logs.</summary>
    private sealed class AwaitingLogger : ILoggerProvider, ILogger
    {
        private readonly TaskCompletionSource _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Seen => _seen.Task;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Warning && formatter(state, exception).Contains("seen by the host", StringComparison.Ordinal)) _seen.TrySetResult();
        }

        public void Dispose() { }
    }
}
