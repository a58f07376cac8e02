using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Mounting;

/// <summary>The options of a mount that a caller may ask for, checked against a list: nothing else ever reaches the kernel.</summary>
/// <param name="Attributes">Of the mount itself: nodev, noexec, nosuid, noatime.</param>
/// <param name="ReadOnly">No writes, whatever the layer allows.</param>
/// <param name="Volatile">Writes are not synced: fast, and lost with the machine.</param>
/// <param name="Context">The SELinux label for all files.</param>
internal sealed record MountWords(MountAttributes Attributes, bool ReadOnly, bool Volatile, string? Context)
{
    internal const string Known = "nodev, noexec, nosuid, noatime, ro, volatile, context=LABEL";

    internal static MountWords None { get; } = new(MountAttributes.None, ReadOnly: false, Volatile: false, Context: null);

    /// <summary>Reads the words of a request; an unknown one is refused by its name.</summary>
    internal static MountWords Parse(IEnumerable<string> options)
    {
        var words = None;
        foreach (var option in options)
        {
            words = option switch
            {
                "nodev" => words with { Attributes = words.Attributes | MountAttributes.NoDevices },
                "noexec" => words with { Attributes = words.Attributes | MountAttributes.NoExecute },
                "nosuid" => words with { Attributes = words.Attributes | MountAttributes.NoSuid },
                "noatime" => words with { Attributes = words.Attributes | MountAttributes.NoAccessTime },
                "ro" => words with { ReadOnly = true },
                "volatile" => words with { Volatile = true },
                _ when option.StartsWith("context=", StringComparison.Ordinal) => words with { Context = Label(option) },
                _ => throw DriverErrors.Refuse(StorageErrorCode.InvalidArgument, "mount",
                    $"\"{Printable(option)}\" is not a mount option of this store; these are: {Known}."),
            };
        }

        return words;
    }

    /// <summary>Refuses a label where no kernel would look at it.</summary>
    internal void CheckContext()
    {
        if (Context is null || Directory.Exists("/sys/fs/selinux")) return;
        throw DriverErrors.Refuse(StorageErrorCode.Unsupported, "mount", "context= labels need SELinux, which is not enabled here; leave the option out.");
    }

    private static string Label(string option)
    {
        var label = option["context=".Length..].Trim('"');
        if (label.Length is > 0 and < 255 && !label.Any(c => char.IsControl(c) || c is '"' or '\\')) return label;
        throw DriverErrors.Refuse(StorageErrorCode.InvalidArgument, "mount", $"\"{Printable(option)}\" holds no SELinux label.");
    }

    private static string Printable(string option)
    {
        var shown = option.Length <= 80 ? option : option[..80] + "...";
        return string.Concat(shown.Select(c => char.IsControl(c) ? '?' : c));
    }
}

/// <summary>Attributes of a mount in other forms.</summary>
internal static class MountAttributeForms
{
    /// <summary>For mount(2).</summary>
    internal static MountFlags ToFlags(this MountAttributes attributes)
    {
        var flags = MountFlags.None;
        if (attributes.HasFlag(MountAttributes.ReadOnly)) flags |= MountFlags.ReadOnly;
        if (attributes.HasFlag(MountAttributes.NoSuid)) flags |= MountFlags.NoSuid;
        if (attributes.HasFlag(MountAttributes.NoDevices)) flags |= MountFlags.NoDevices;
        if (attributes.HasFlag(MountAttributes.NoExecute)) flags |= MountFlags.NoExecute;
        if (attributes.HasFlag(MountAttributes.NoAccessTime)) flags |= MountFlags.NoAccessTime;
        return flags;
    }

    /// <summary>The words of mount(8).</summary>
    internal static IEnumerable<string> ToOptions(this MountAttributes attributes)
    {
        if (attributes.HasFlag(MountAttributes.NoDevices)) yield return "nodev";
        if (attributes.HasFlag(MountAttributes.NoExecute)) yield return "noexec";
        if (attributes.HasFlag(MountAttributes.NoSuid)) yield return "nosuid";
        if (attributes.HasFlag(MountAttributes.NoAccessTime)) yield return "noatime";
    }
}
