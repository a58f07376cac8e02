using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Store;

/// <summary>
/// The content of <c>format.json</c>: what a store is, for whoever opens it. Written when the store is made, and again when it first uses a feature that has a name.
/// </summary>
/// <param name="Format">Number of the disk format.</param>
/// <param name="StoreId">The store's identity.</param>
/// <param name="Driver">The driver that its layers are of.</param>
/// <param name="Features">What it uses beyond the format's number.</param>
internal sealed record StoreFormat(int Format, string StoreId, string Driver, StoreFeatures Features)
{
    /// <summary>The only format so far.</summary>
    internal const int Current = 1;

    /// <summary>Incompatible: there are layers whose files have other owners than their archives, by the map in their records.</summary>
    internal const string IdMaps = "id-maps";

    /// <summary>
    /// Incompatible: marks of layers are <c>user.overlay.</c> attributes, as they are in a user namespace; who takes them for <c>trusted.overlay.</c> ones would show what layers hide.
    /// </summary>
    internal const string UserXattrs = "user-xattrs";

    /// <summary>Read-only: there are layers with documents, which a writer that does not know of them would drop from their records.</summary>
    internal const string LayerDocuments = "layer-documents";

    /// <summary>Incompatible: the journal's snapshot is packed, as that of a large store is; versions from before cannot read it.</summary>
    internal const string PackedSnapshot = "packed-snapshot";

    private static readonly Lock Writing = new();

    private static ReadOnlySpan<byte> FileName => "format.json"u8;

    /// <summary>The format of the store in <paramref name="root"/>; null when there is none yet.</summary>
    /// <param name="root">The store's root.</param>
    /// <param name="toReadOnly">Whether nothing is going to be changed, so that features that only writers must know are no obstacle.</param>
    /// <exception cref="StoreCorruptException">The file cannot be read, or this version must not touch such a store.</exception>
    internal static StoreFormat? Read(string root, bool toReadOnly = false)
    {
        using var directory = Libc.OpenDirectory(root);
        if (AtomicFile.Read(directory, FileName, 1024 * 1024) is not { } bytes) return null;
        var path = StoreLayout.FormatFileOf(root);
        StoreFormat format;
        try
        {
            format = StoreFormatJson.Read(bytes);
        }
        catch (JsonException e)
        {
            throw Refuse(StorageErrorCode.Damaged, path, $"{path} is not what a store writes ({e.Message}); restore it from a backup", e);
        }

        format.CheckKnown(path, toReadOnly);
        return format;
    }

    /// <summary>Makes a store's format file, last of all that makes a store, and returns when the disk has it.</summary>
    /// <param name="root">The store's root.</param>
    /// <param name="driver">Its driver.</param>
    /// <param name="features">Incompatible features that it has from the beginning.</param>
    internal static StoreFormat Create(string root, string driver, params IReadOnlyList<string> features)
    {
        var format = new StoreFormat(Current, Guid.NewGuid().ToString("D"), driver, StoreFeatures.None with { Incompatible = features });
        using var directory = Libc.OpenDirectory(root);
        AtomicFile.Replace(directory, FileName, StoreJson.Write(format));
        return format;
    }

    /// <summary>Removes what a crash left of a change. For the owner, before he makes one.</summary>
    /// <param name="root">The store's root directory, open.</param>
    internal static void RemoveTemporaries(SafeFileHandle root) => AtomicFile.RemoveTemporaries(root, FileName);

    /// <summary>Has the store say, durably, that it uses a feature that this version knows; before anything that does is committed to it.</summary>
    /// <returns>Whether there is a format file to say it in.</returns>
    internal static bool Use(string root, string feature) => Change(root, features => features.Have(feature) ? features : features.With(feature));

    /// <summary>Has the store say, durably, that it uses a feature no more; after the last thing that does is gone for good.</summary>
    /// <returns>Whether there is a format file to say it in.</returns>
    internal static bool Drop(string root, string feature) => Change(root, features => features.Have(feature) ? features.Without(feature) : features);

    private static bool Change(string root, Func<StoreFeatures, StoreFeatures> change)
    {
        lock (Writing)
        {
            if (Read(root) is not { } format) return false;
            var features = change(format.Features);
            if (ReferenceEquals(features, format.Features)) return true;
            using var directory = Libc.OpenDirectory(root);
            AtomicFile.Replace(directory, FileName, StoreJson.Write(format with { Features = features }), written: static () => CrashPoint.Reached(CrashPoint.MarkWritten));
            return true;
        }
    }

    /// <summary>Whether the marks of its layers are attributes of users.</summary>
    internal bool HasUserXattrs => Features.Incompatible.Contains(UserXattrs, StringComparer.Ordinal);

    /// <summary>Refuses a store whose marks this driver, with the rights that this process has, would not read as such.</summary>
    internal void CheckMarks(string root, DriverCapabilities driver)
    {
        var hasUserXattrs = driver.HasFlag(DriverCapabilities.UserXattrs);
        if (hasUserXattrs == HasUserXattrs) return;
        throw DriverErrors.Refuse(
            StorageErrorCode.InvalidArgument, "open store",
            HasUserXattrs
                ? $"{root} was made in a user namespace, and its layers have the marks and owners of one; run this there, as by unshare --user --map-root-user --mount by its owner, or use another root"
                : $"{root} was made by root of the machine, and its layers have marks that a user namespace does not see; run this as root outside of user namespaces, or use another root",
            root);
    }

    private void CheckKnown(string path, bool toReadOnly)
    {
        if (Format != Current) throw Unknown(path, $"the store has disk format {Format}; this version reads {Current}");
        if (Features.Incompatible.Where(static word => word is not (IdMaps or UserXattrs or PackedSnapshot)).ToList() is { Count: > 0 } unknown) throw Unknown(path, $"the store uses {string.Join(", ", unknown)}");
        if (!toReadOnly && Features.ReadOnly.Where(static word => word != LayerDocuments).ToList() is { Count: > 0 } writable)
            throw Unknown(path, $"the store uses {string.Join(", ", writable)}, so this version could only read it");
    }

    private static StoreCorruptException Unknown(string path, string what) =>
        Refuse(StorageErrorCode.UnknownFormat, path, what + "; open it with the version that made it, or a later one");

    private static StoreCorruptException Refuse(StorageErrorCode code, string path, string what, Exception? inner = null) =>
        new(new StorageError(code, "open store", what, path), inner);
}

/// <summary>
/// Names of what a store uses that its format's number does not say. A version that does not know a name may go on with a compatible one, may read
/// with a read-only one, and must keep away from an incompatible one. This version knows <see cref="StoreFormat.IdMaps"/>,
/// <see cref="StoreFormat.UserXattrs"/>, <see cref="StoreFormat.PackedSnapshot"/> and <see cref="StoreFormat.LayerDocuments"/>.
/// </summary>
internal sealed record StoreFeatures(IReadOnlyList<string> Compatible, IReadOnlyList<string> ReadOnly, IReadOnlyList<string> Incompatible)
{
    internal static readonly StoreFeatures None = new([], [], []);

    internal bool Have(string feature) => ReadOnly.Concat(Incompatible).Contains(feature, StringComparer.Ordinal);

    internal StoreFeatures Without(string feature) =>
        this with { ReadOnly = [.. ReadOnly.Where(word => word != feature)], Incompatible = [.. Incompatible.Where(word => word != feature)] };

    internal StoreFeatures With(string feature) =>
        feature == StoreFormat.LayerDocuments ? this with { ReadOnly = [.. ReadOnly, feature] } : this with { Incompatible = [.. Incompatible, feature] };
}
