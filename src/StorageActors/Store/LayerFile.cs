using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Store;

/// <summary>
/// <c>layer.json</c> in a layer's directory: its record, written in staging before the rename, so that the journal can be rebuilt from directories
/// alone. Later changes of the record are journaled first and then written here.
/// </summary>
internal static class LayerFile
{
    private const int MaximumLength = 16 * 1024 * 1024;

    private static ReadOnlySpan<byte> FileName => "layer.json"u8;

    /// <summary>Writes the record into a layer's directory, replacing an older one, and returns when the disk has it.</summary>
    internal static void Write(string directory, LayerRecord record)
    {
        using var handle = Libc.OpenDirectory(directory);
        AtomicFile.Replace(handle, FileName, StoreJson.Write(new Content(StoreFormat.Current, record)), written: static () => CrashPoint.Reached(CrashPoint.RecordFileWritten));
    }

    /// <summary>Writes the record into a staged directory; not durable by itself, since all of the directory is going to be, at once.</summary>
    internal static void Stage(string directory, LayerRecord record)
    {
        using var handle = Libc.OpenDirectory(directory);
        using var file = Libc.OpenAt(handle, FileName, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate | OpenFlags.NoFollow, 0x180);
        Libc.WriteAll(file, StoreJson.Write(new Content(StoreFormat.Current, record)));
    }

    /// <summary>Which layer a directory is, or was, whatever it is called now; null when it does not say.</summary>
    internal static LayerId? TryReadId(string directory)
    {
        try
        {
            using var handle = Libc.OpenDirectory(directory);
            return Read(handle, directory).Id;
        }
        catch (Exception e) when (e is DriverException or LinuxException)
        {
            return null;
        }
    }

    /// <summary>Reads the record of <paramref name="layer"/> from its directory.</summary>
    /// <exception cref="PermanentDriverException">Damaged: there is no valid record of this layer; the error says what is wrong.</exception>
    internal static LayerRecord Read(string directory, LayerId layer)
    {
        using var handle = Libc.OpenDirectory(directory);
        var record = Read(handle, Path.Combine(directory, StoreLayout.LayerFileName));
        return record.Id == layer ? record
            : throw Damaged(Path.Combine(directory, StoreLayout.LayerFileName), $"it is the record of layer {record.Id}", null);
    }

    private static LayerRecord Read(SafeFileHandle directory, string path)
    {
        var bytes = AtomicFile.Read(directory, FileName, MaximumLength) ?? throw Damaged(path, "the file is missing", null);
        try
        {
            var content = StoreJson.Read<Content>(bytes) ?? throw new JsonException("it is null");
            return content.Format == StoreFormat.Current ? content.Layer : throw new JsonException($"it has format {content.Format}");
        }
        catch (JsonException e)
        {
            throw Damaged(path, $"the file is no layer record: {e.Message}", e);
        }
    }

    private static PermanentDriverException Damaged(string path, string what, Exception? inner) =>
        new(new StorageError(StorageErrorCode.Damaged, "read layer record", what, path), inner);

    /// <summary>What the file holds.</summary>
    internal sealed record Content(int Format, LayerRecord Layer);
}
