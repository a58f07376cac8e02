using System.Globalization;
using StorageActors.Drivers.Mounting;
using StorageActors.Linux;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// The call of mount(2) that builds an overlay, for kernels that take layers in no other way: all of them have to fit one page, since a remount of an
/// overlay adds none. So the layers go by the first of several ways to name them with which they do. Pure.
/// </summary>
internal static class OptionPlan
{
    /// <summary>The calls, in order: there is one.</summary>
    /// <param name="stack">What to mount.</param>
    /// <param name="words">Explicit options of every mount.</param>
    /// <param name="pageSize">The machine's page.</param>
    /// <param name="namings">Ways to name a directory of the stack, the most readable first, the shortest last.</param>
    /// <exception cref="LinuxException">E2BIG: not even the shortest names fit; it says how many layers would.</exception>
    internal static IReadOnlyList<MountCall> Make(
        OverlayStack stack, IReadOnlyList<KeyValuePair<string, string>> words, int pageSize, params IReadOnlyList<Func<string, string>> namings)
    {
        var data = "";
        foreach (var name in namings)
        {
            data = string.Join(',', Options(stack, name, words));
            if (MountCall.SizeOf(data) <= MountCall.Limit(pageSize)) return [new MountCall(Flags(stack), data)];
        }

        throw TooLong(stack, words, pageSize, namings[^1], MountCall.SizeOf(data));
    }

    /// <summary>The options as mount(2) and mount(8) take them, in order; commas, colons and backslashes in paths escaped.</summary>
    internal static IEnumerable<string> Options(OverlayStack stack, Func<string, string> name, IEnumerable<KeyValuePair<string, string>> words)
    {
        yield return "lowerdir=" + string.Join(':', stack.Lowers.Select(lower => EscapeLower(name(lower))));
        if (stack.Upper is not null)
        {
            yield return "upperdir=" + Escape(name(stack.Upper));
            yield return "workdir=" + Escape(name(stack.Work!));
            if (stack.Words.Volatile) yield return "volatile";
        }

        foreach (var word in stack.ExplicitWords(words)) yield return Text(word);
        if (stack.Words.Context is { } label) yield return $"context=\"{label}\"";
    }

    /// <summary>A word as an option: one without a value stands alone.</summary>
    internal static string Text(KeyValuePair<string, string> word) => word.Value.Length == 0 ? word.Key : $"{word.Key}={word.Value}";

    private static string EscapeLower(string path) => Escape(path).Replace(":", "\\:", StringComparison.Ordinal);

    private static string Escape(string path) =>
        path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal);

    private static MountFlags Flags(OverlayStack stack) =>
        stack.Words.Attributes.ToFlags() | (stack.Upper is null || stack.Words.ReadOnly ? MountFlags.ReadOnly : MountFlags.None);

    private static LinuxException TooLong(
        OverlayStack stack, IReadOnlyList<KeyValuePair<string, string>> words, int pageSize, Func<string, string> name, int size)
    {
        var room = MountCall.Limit(pageSize) - MountCall.SizeOf(string.Join(',', Options(stack with { Lowers = [] }, name, words)));
        var fitting = 0;
        foreach (var lower in stack.Lowers)
        {
            room -= MountCall.SizeOf(EscapeLower(name(lower))) + (fitting == 0 ? 0 : 1);
            if (room < 0) break;
            fitting++;
        }

        return new LinuxException(
            "mount", stack.Upper ?? stack.Lowers[0], Errno.E2BIG, flags: "overlay",
            detail: string.Create(CultureInfo.InvariantCulture,
                $"{stack.Lowers.Count} layers need {size} bytes of options, of which this kernel takes {MountCall.Limit(pageSize)} and would cut the rest off silently; {fitting} of them would fit"));
    }
}
