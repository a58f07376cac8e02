using System.Globalization;
using System.Text.RegularExpressions;
using Akka.Configuration;
using Akka.Configuration.Hocon;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Settings;

namespace StorageActors.Node.Hosting;

/// <summary>Reads the HOCON file that a user names, and says what is wrong with it: the file, and the line or the key.</summary>
internal static partial class SettingsFile
{
    private const string Section = "storage-actors";

    private static readonly string[] LogLevels = ["DEBUG", "INFO", "WARNING", "ERROR", "OFF"];

    /// <summary>Keys below which a user may write what the reference does not have: names of doors, and settings of plugins and dispatchers.</summary>
    private static readonly string[] Open = ["doors", "journal", "snapshots", "driver-dispatcher", "content-dispatcher", "trash-dispatcher"];

    /// <exception cref="LinuxException">The file cannot be read.</exception>
    /// <exception cref="StorageException">Invalid argument: it is no HOCON, or has a key that there is not.</exception>
    internal static Config Read(string path)
    {
        string text;
        using (var file = Libc.Open(path, OpenFlags.ReadOnly))
        {
            if (Libc.FStat(file).IsDirectory) throw new LinuxException("read", path, Errno.EISDIR);
            using var reader = new StreamReader(new FileStream(file, FileAccess.Read, 1));
            text = reader.ReadToEnd();
        }

        if (HoconText.Fault(text) is { } fault) throw Wrong(path, fault);
        var config = Parse(path, text);
        Check(path, config);
        return config;
    }

    private static Config Parse(string path, string text)
    {
        try
        {
            return ConfigurationFactory.ParseString(text);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw Wrong(path, Explain(text, e), e);
        }
    }

    private static string Explain(string text, Exception e)
    {
        if (e is NullReferenceException && Include().IsMatch(text)) return "it includes another file, which cannot be done here: write everything into this one";
        var position = Position().Match(e.Message);
        return position.Success && int.TryParse(position.ValueSpan[9..], NumberStyles.None, CultureInfo.InvariantCulture, out var at)
            ? $"line {HoconText.LineOf(text, at)}: it is no HOCON" : $"it is no HOCON: {e.Message}";
    }

    private static void Check(string path, Config config)
    {
        if (config.HasPath("akka.loglevel") && config.GetString("akka.loglevel") is var level && !LogLevels.Contains(level, StringComparer.OrdinalIgnoreCase))
            throw Wrong(path, $"akka.loglevel = {level}: one of {string.Join(", ", LogLevels)} is needed");
        if (!config.HasPath(Section)) return;
        if (!config.GetValue(Section).IsObject()) throw Wrong(path, $"{Section} is a section with keys in braces, not a value");
        foreach (var (key, value) in config.GetValue(Section).GetObject().Items)
        {
            if (!Open.Contains(key, StringComparer.Ordinal)) CheckKnown(path, $"{Section}.{key}", value);
        }
    }

    /// <summary>A key that nobody reads is a misspelt one, and what it was to set would stay as it is.</summary>
    private static void CheckKnown(string path, string key, HoconValue value)
    {
        var known = StorageConfiguration.Reference;
        if (!known.HasPath(key)) throw Wrong(path, $"{key} is no setting; hocon/node.conf has them all");
        if (!known.GetValue(key).IsObject()) return;
        if (!value.IsObject()) throw Wrong(path, $"{key} is a section with keys in braces, not a value");
        foreach (var (name, below) in value.GetObject().Items) CheckKnown(path, $"{key}.{name}", below);
    }

    private static StorageException Wrong(string path, string what, Exception? inner = null) =>
        new(new StorageError(StorageErrorCode.InvalidArgument, "config", $"{path}: {what}", path), inner);

    [GeneratedRegex(@"^\s*include\b", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex Include();

    [GeneratedRegex(@"position [0-9]+", RegexOptions.NonBacktracking)]
    private static partial Regex Position();
}
