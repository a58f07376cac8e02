using Akka.Configuration;

namespace StorageActors.Settings;

/// <summary>The engine's part of an actor system's configuration.</summary>
public static class StorageConfiguration
{
    private static readonly Lazy<Config> LazyReference = new(
        static () => ConfigurationFactory.FromResource("StorageActors.reference.conf", typeof(StorageConfiguration).Assembly));

    /// <summary>
    /// <c>reference.conf</c>: dispatchers, serializers and every setting's default. An actor system that hosts the engine must have it as a fallback when it
    /// is created: dispatchers cannot be added later.
    /// </summary>
    public static Config Reference => LazyReference.Value;

    /// <summary>The journal of the store at <paramref name="path"/>: its own database, unless the configuration names another.</summary>
    internal static Config JournalOf(string path, string database)
    {
        var connection = Quote($"Data Source={database}");
        return ConfigurationFactory.ParseString($"{path} {{ {Plugin("journal")} {Plugin("snapshots")} }}");

        string Plugin(string name)
        {
            var plugin = Reference.GetConfig($"{StorageSettings.DefaultPath}.{name}");
            var keys = plugin.AsEnumerable().Select(static pair => $"{pair.Key} = {Quote(pair.Value.GetString())}");
            return $"{name} {{ {string.Join('\n', keys)}\n connection-string = {connection} }}";
        }
    }

    /// <summary>A string as HOCON has it.</summary>
    internal static string Quote(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
