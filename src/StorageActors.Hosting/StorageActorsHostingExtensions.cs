using Akka.Configuration;
using Akka.Hosting;
using StorageActors.Engine;
using StorageActors.Settings;

namespace StorageActors.Hosting;

/// <summary>Puts the engine under Akka.Hosting.</summary>
public static class StorageActorsHostingExtensions
{
    /// <summary>
    /// Opens a store when the actor system starts, and registers its address in the <see cref="ActorRegistry"/> under <see cref="StorageActorsKey"/>, so that
    /// <c>IRequiredActor&lt;StorageActorsKey&gt;</c> gives it. The system starts when the store serves, and fails to start when it cannot.
    /// </summary>
    /// <param name="builder">The actor system's builder.</param>
    /// <param name="root">The store's root directory; null to take it from the configuration.</param>
    /// <param name="configure">HOCON over the defaults, for the section <c>storage-actors</c>.</param>
    public static AkkaConfigurationBuilder WithStorageActors(this AkkaConfigurationBuilder builder, string? root = null, Config? configure = null)
    {
        if (root is not null)
        {
            var text = root.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
            builder.AddHocon(ConfigurationFactory.ParseString($"storage-actors.root = \"{text}\""), HoconAddMode.Prepend);
        }

        if (configure is not null) builder.AddHocon(configure, HoconAddMode.Prepend);
        builder.AddHocon(StorageConfiguration.Reference, HoconAddMode.Append);
        return builder.WithActors(async (system, registry) =>
        {
            var store = StorageActorsExtension.For(system).Open();
            await store.WhenReadyAsync().ConfigureAwait(false);
            registry.Register<StorageActorsKey>(store.Actor);
        });
    }
}

/// <summary>Names the store's address in the <see cref="ActorRegistry"/>.</summary>
public sealed class StorageActorsKey;
