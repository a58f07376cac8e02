using System.Globalization;
using System.Text;
using Akka.Configuration;
using StorageActors.Drivers;
using StorageActors.Protocol;

namespace StorageActors.Settings;

/// <summary>Reads one section of the configuration; what is wrong with a key is said by its name.</summary>
internal sealed class SettingsSection(string path, Config section)
{
    internal string Word(string key) => Read(key, static (config, name) => config.GetString(name, ""), "a text is needed");

    internal IReadOnlyList<string> Words(string key) => Read(key, static (config, name) => (IReadOnlyList<string>)[.. config.GetStringList(name)], "a list of texts is needed, such as [nodev, nosuid]");

    /// <summary>Absolute paths, each once.</summary>
    internal IReadOnlyList<string> Directories(string key) => [.. Words(key).Select(word =>
        word.StartsWith('/') && !word.Contains('\0', StringComparison.Ordinal) ? System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(word))
            : throw Wrong(key, word.Replace("\0", "\\0", StringComparison.Ordinal), "absolute paths of directories are needed")).Distinct(StringComparer.Ordinal)];

    /// <summary>A map of ids: lines of users and of groups.</summary>
    internal IdMap Ids(string key)
    {
        try
        {
            return IdMap.OfContainer(Ranges(key + ".users"), Ranges(key + ".groups"));
        }
        catch (FormatException e)
        {
            throw Wrong(key, $"{string.Join(',', Words(key + ".users"))}; {string.Join(',', Words(key + ".groups"))}", e.Message);
        }
    }

    private List<IdRange> Ranges(string key) => [.. Words(key).SelectMany(IdMap.ParseRanges)];

    internal string Directory(string key, int longest)
    {
        var directory = Word(key);
        if (directory.Length == 0) throw Wrong(key, directory, "the directory of the store has to be given");
        if (directory.Contains('\0', StringComparison.Ordinal)) throw Wrong(key, directory.Replace("\0", "\\0", StringComparison.Ordinal), "a path has no zero characters");
        var full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(directory));
        return Encoding.UTF8.GetByteCount(full) <= longest ? full : throw Wrong(key, full, $"a path of at most {longest} bytes is needed, since the journal lies in it");
    }

    internal bool Flag(string key) => Read(key, static (config, name) => config.GetBoolean(name), "on or off is needed");

    /// <summary>Permissions in octal digits, as chmod takes them.</summary>
    internal uint Mode(string key)
    {
        var text = Word(key);
        return text.Length is 3 or 4 && text.All(static c => c is >= '0' and <= '7') ? Convert.ToUInt32(text, 8)
            : throw Wrong(key, text, "permissions of three or four octal digits are needed, such as 0755");
    }

    /// <summary>A label of SELinux; null for none.</summary>
    internal SelinuxLabel? Label(string key) => Word(key) is not { Length: > 0 } text ? null
        : SelinuxLabel.TryParse(text) ?? throw Wrong(key, text, "a label is needed, such as \"system_u:object_r:container_ro_file_t:s0\"");

    internal int Count(string key, int least)
    {
        var count = Read(key, static (config, name) => config.GetInt(name), "a whole number is needed");
        return count >= least ? count : throw Wrong(key, count, $"at least {least} is needed");
    }

    internal TimeSpan Time(string key)
    {
        var time = Plain(Word(key)) ?? Read(key, static (config, name) => config.GetTimeSpan(name, allowInfinite: false), "a time is needed, such as 10s");
        return time > TimeSpan.Zero ? time : throw Wrong(key, time, "a time above zero is needed, such as 10s");
    }

    /// <summary>A time such as <c>10s</c> or <c>500 ms</c>. All else is left to HOCON, whose rule for it takes longer to be made ready than a command to run.</summary>
    private static TimeSpan? Plain(string text)
    {
        var digits = text.Length - text.AsSpan().TrimStart("0123456789").Length;
        if (digits is 0 or > 6) return null;
        var number = int.Parse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture);
        return text.AsSpan(digits).TrimStart(' ') switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "s" => TimeSpan.FromSeconds(number),
            "m" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            "d" => TimeSpan.FromDays(number),
            _ => null,
        };
    }

    internal long Limit(string key, bool isSize)
    {
        if (Word(key) == "unlimited") return long.MaxValue;
        var limit = Read(key, (config, name) => isSize ? config.GetByteSize(name) ?? 0 : config.GetLong(name), isSize ? "a size such as 512 MiB is needed, or unlimited" : "a number is needed, or unlimited");
        return limit > 0 ? limit : throw Wrong(key, Word(key), isSize ? "a size such as 512 MiB is needed, or unlimited" : "a number above zero is needed, or unlimited");
    }

    internal TEnum Choice<TEnum>(string key)
        where TEnum : struct, Enum =>
        Enum.TryParse<TEnum>(Word(key), ignoreCase: true, out var choice) && Enum.IsDefined(choice) ? choice
            : throw Wrong(key, Word(key), $"one of {string.Join(", ", Enum.GetNames<TEnum>()).ToLowerInvariant()} is needed");

    private T Read<T>(string key, Func<Config, string, T> read, string needed)
    {
        try
        {
            return read(section, key);
        }
        catch (Exception e) when (e is FormatException or OverflowException or InvalidOperationException or ConfigurationException or ArgumentException)
        {
            throw new StorageException(Error(key, section.GetString(key, ""), needed), e);
        }
    }

    private StorageException Wrong(string key, object value, string what) => new(Error(key, value, what));

    private StorageError Error(string key, object value, string what) =>
        new(StorageErrorCode.InvalidArgument, "settings", FormattableString.Invariant($"{path}.{key} = {value}: {what}"));
}
