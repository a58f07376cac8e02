using System.ComponentModel;
using System.Globalization;
using System.Text.Json.Serialization;
using StorageActors.Protocol.Identity;

namespace StorageActors.Protocol;

/// <summary>
/// Whose a lease is, when no actor holds it: <c>process:PID:START</c>, a process of this machine with its start time in clock ticks since boot, whose end ends the
/// lease; or any other word of 1 to 255 printable characters without spaces, such as a container's id, which says no more than who to ask.
/// </summary>
[TypeConverter(typeof(StringValueTypeConverter<LeaseOwner>))]
[JsonConverter(typeof(StringValueJsonConverter<LeaseOwner>))]
public readonly record struct LeaseOwner : IStringValue<LeaseOwner>
{
    private const string ProcessPrefix = "process:";

    private LeaseOwner(string value) => Value = value;

    /// <inheritdoc/>
    public string Value { get; }

    /// <summary>A process, which its number and its start time name together.</summary>
    /// <param name="pid">Its number.</param>
    /// <param name="startTime">When it started: field 22 of <c>/proc/PID/stat</c>.</param>
    public static LeaseOwner Process(int pid, long startTime) => new(string.Create(CultureInfo.InvariantCulture, $"{ProcessPrefix}{pid}:{startTime}"));

    /// <inheritdoc/>
    public static LeaseOwner Parse(string text)
    {
        var isWord = text is { Length: >= 1 and <= 255 } && !text.Any(static c => char.IsControl(c) || char.IsWhiteSpace(c));
        // What the store itself writes where others name an owner.
        var isReserved = isWord && (text is "external" || text.StartsWith("akka", StringComparison.Ordinal));
        if (!isWord || isReserved || (text.StartsWith(ProcessPrefix, StringComparison.Ordinal) && !TryRead(text, out _, out _)))
            throw new FormatException($"\"{IdText.Printable(text)}\" is no owner of a lease: process:PID:START or another word is, without spaces");
        return new LeaseOwner(text);
    }

    /// <summary>Whether it is a process, and which.</summary>
    /// <param name="pid">Its number.</param>
    /// <param name="startTime">When it started.</param>
    public bool IsProcess(out int pid, out long startTime) => TryRead(Value, out pid, out startTime);

    private static bool TryRead(string? text, out int pid, out long startTime)
    {
        (pid, startTime) = (0, 0);
        if (text is null || !text.StartsWith(ProcessPrefix, StringComparison.Ordinal)) return false;
        var parts = text[ProcessPrefix.Length..].Split(':');
        return parts.Length == 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out pid) && pid > 0
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out startTime);
    }

    /// <inheritdoc/>
    public override string ToString() => Value ?? "";
}
