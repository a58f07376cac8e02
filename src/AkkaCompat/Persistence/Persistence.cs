using Akka.Actor;
using Akka.Configuration;

namespace Akka.Persistence;

/// <summary>Gets the persistence extension of an actor system, starting it on first use.</summary>
public sealed class Persistence : ExtensionIdProvider<PersistenceExtension>
{
    private Persistence() { }

    public static Persistence Instance { get; } = new();

    /// <summary>The defaults that every actor system falls back to.</summary>
    public static Config DefaultConfig() =>
        ConfigurationFactory.FromResource<Persistence>("Akka.Persistence.persistence.conf");

    public override PersistenceExtension CreateExtension(ExtendedActorSystem system)
    {
        system.Settings.InjectTopLevelFallback(DefaultConfig());
        return new PersistenceExtension(system);
    }
}
