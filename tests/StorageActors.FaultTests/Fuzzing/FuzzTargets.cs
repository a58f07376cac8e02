using System.IO.Compression;
using System.Text;
using Akka.Configuration;
using StorageActors.Archive.Compression;
using StorageActors.Archive.Tar;
using StorageActors.Archive.TarSplit;
using StorageActors.Drivers;
using StorageActors.FaultTests.Host;
using StorageActors.Protocol;
using StorageActors.Settings;
using StorageActors.Store;
using StorageActors.TestSupport;

namespace StorageActors.FaultTests.Fuzzing;

/// <summary>Everything that reads what strangers write.</summary>
internal static class FuzzTargets
{
    /// <summary>More than one input of a compression may give: the limit of the layer stands behind it.</summary>
    private const int MaximumDecoded = 32 << 20;

    internal static IReadOnlyList<string> Names { get; } =
        ["layer", "tar", "tar-split", "gzip", "zstd", "xz", "bzip2", "layer.json", "image.json", "format.json", "settings", "http"];

    internal static FuzzTarget Open(string name) => name switch
    {
        "layer" => LayerTarget.Open(),
        "tar" => new FuzzTarget(name, Tars(), ReadTar, static e => e is TarFormatException),
        "tar-split" => new FuzzTarget(name, [TarSplit(SampleLayers.Base), TarSplit(SampleLayers.Child)], ReadTarSplit, static e => e is TarSplitException, 600L << 20),
        "gzip" => Compression(name, SampleLayers.Gzip(SampleLayers.Child), SampleLayers.Gzip(new byte[300_000])),
        "zstd" => Compression(name, Command(name, SampleLayers.Child), Command(name, new byte[300_000])),
        "xz" => Compression(name, Command(name, SampleLayers.Child), Command(name, new byte[300_000])),
        "bzip2" => Compression(name, Command(name, SampleLayers.Child), Command(name, new byte[300_000])),
        "layer.json" => StoreFile(name, Records.Layer, static directory => LayerFile.Read(directory, Records.LayerId)),
        "image.json" => StoreFile(name, Records.Image, static directory => ImageFile.TryReadId(directory)),
        "format.json" => StoreFile(name, Records.Format, static directory => StoreFormat.Read(directory)),
        "settings" => new FuzzTarget(name, [Encoding.UTF8.GetBytes(Records.Settings)], ReadSettings, static e => e is StorageException),
        _ => HttpTarget.Open(),
    };

    /// <summary>Layers of the kinds that occur, and one in each dialect.</summary>
    internal static IReadOnlyList<byte[]> Tars() => [SampleLayers.Small, SampleLayers.Child, .. Dialects.All];

    private static void ReadTar(byte[] bytes)
    {
        using var record = new MemoryStream();
        using var split = new TarSplitWriter(record, static () => new MemoryStream());
        var reader = new TarReader(new StreamBlockSource(new MemoryStream(bytes)), new TarLimits { MaxArchiveBytes = 64 << 20 }, split);
        while (reader.MoveNext())
        {
            var end = 0L;
            while (reader.ReadPiece(out var offset, out var data))
            {
                if (offset < end) throw new InvalidDataException($"a piece at {offset} after one that ends at {end}");
                end = offset + data.Length;
            }
            if (reader.Current.Type == TarEntryType.RegularFile && end > reader.Current.Size) throw new InvalidDataException("more data than the file is long");
        }
        split.Complete();
        if (reader.Position != bytes.Length) throw new InvalidDataException($"{reader.Position} of {bytes.Length} bytes were read");
    }

    private static byte[] TarSplit(byte[] tar)
    {
        using var record = new MemoryStream();
        using var split = new TarSplitWriter(record, static () => new MemoryStream());
        var reader = new TarReader(new StreamBlockSource(new MemoryStream(tar)), null, split);
        while (reader.MoveNext()) reader.SkipPayload();
        split.Complete();
        using var plain = new MemoryStream();
        using (var gzip = new GZipStream(new MemoryStream(record.ToArray()), CompressionMode.Decompress)) gzip.CopyTo(plain);
        return plain.ToArray();
    }

    /// <summary>The lines are changed, not their compression, which has a target of its own.</summary>
    private static void ReadTarSplit(byte[] lines)
    {
        using var reader = new TarSplitReader(new MemoryStream(SampleLayers.Gzip(lines)));
        while (reader.MoveNext())
        {
            if (reader.Current.Size < 0) throw new InvalidDataException("a size below zero");
        }
    }

    private static FuzzTarget Compression(string name, params byte[][] samples) =>
        new(name, samples, Decompress, static e => e is CompressedDataException, 160L << 20);

    private static void Decompress(byte[] bytes)
    {
        using var input = new MemoryStream(bytes);
        var (decoded, _) = Codec.OpenDecoder(input);
        using (decoded)
        {
            var buffer = new byte[1 << 16];
            for (var total = 0; total < MaximumDecoded;)
            {
                var count = decoded.Read(buffer);
                if (count == 0) break;
                total += count;
            }
        }
    }

    private static byte[] Command(string program, byte[] input)
    {
        using var directory = new TempDirectory();
        File.WriteAllBytes(directory["input"], input);
        TestSupport.Command.Run(Tools.Require(program), "-k", "-f", "-q", directory["input"]);
        return File.ReadAllBytes(Directory.EnumerateFiles(directory.Path).Single(static path => !path.EndsWith("input", StringComparison.Ordinal)));
    }

    private static FuzzTarget StoreFile(string name, byte[] sample, Action<string> read)
    {
        var directory = new TempDirectory();
        return new FuzzTarget(
            name, [sample],
            bytes =>
            {
                File.WriteAllBytes(directory[name], bytes);
                read(directory.Path);
            },
            static e => e is DriverException) { Owned = directory };
    }

    private static void ReadSettings(byte[] bytes)
    {
        Config config;
        var text = Encoding.UTF8.GetString(bytes);
        if (!IsBalanced(text)) return;   // Akka's parser waits for ever for the end of a list.
        try
        {
            config = ConfigurationFactory.ParseString(text);
        }
        catch (Exception e) when (e is not (OutOfMemoryException or InsufficientExecutionStackException))
        {
            return;   // The parser is Akka's; whoever reads a file says that it is no HOCON.
        }
        _ = StorageSettings.From(config, "storage-actors");
    }

    private static bool IsBalanced(string text)
    {
        var open = new Stack<char>();
        foreach (var c in text)
        {
            if (c is '[' or '{') open.Push(c);
            else if (c is ']' or '}' && (!open.TryPop(out var opened) || opened != (c == ']' ? '[' : '{'))) return false;
        }
        return open.Count == 0 && text.Count(static c => c == '"') % 2 == 0;
    }
}
