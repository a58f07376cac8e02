using System.Globalization;
using System.Text;
using Akka.Configuration;
using Microsoft.Extensions.Configuration;

namespace Akka.Hosting.Configuration;

/// <summary>Writes a .NET configuration as HOCON.</summary>
internal static class ConfigurationHocon
{
    public static Config From(IConfiguration configuration, bool normalizeKeys)
    {
        var text = new StringBuilder();
        foreach (var section in configuration.GetChildren()) Append(text, section, normalizeKeys);
        return ConfigurationFactory.ParseString(text.ToString());
    }

    private static void Append(StringBuilder text, IConfigurationSection section, bool normalizeKeys)
    {
        // Dots in a key make a path, as they do in HOCON.
        var path = section.Key.Split('.').Select(key => Quote(normalizeKeys ? key.ToLowerInvariant() : key));
        text.Append(CultureInfo.InvariantCulture, $"{string.Join('.', path)} ");
        AppendValue(text.Append("= "), section, normalizeKeys);
        text.Append('\n');
    }

    private static void AppendValue(StringBuilder text, IConfigurationSection section, bool normalizeKeys)
    {
        var children = section.GetChildren().ToList();
        if (children.Count == 0)
        {
            text.Append(section.Value is null ? "null" : Quote(section.Value));
        }
        else if (children.TrueForAll(child => int.TryParse(child.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
        {
            text.Append('[');
            foreach (var child in children)
            {
                AppendValue(text, child, normalizeKeys);
                text.Append(", ");
            }
            text.Append(']');
        }
        else
        {
            text.Append("{\n");
            foreach (var child in children) Append(text, child, normalizeKeys);
            text.Append('}');
        }
    }

    private static string Quote(string value) =>
        $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
