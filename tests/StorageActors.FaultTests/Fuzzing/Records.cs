using System.Text;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.FaultTests.Fuzzing;

/// <summary>The small files of a store as it writes them.</summary>
internal static class Records
{
    private static readonly Digest Some = Digest.Of("some"u8);

    internal static LayerId LayerId { get; } = LayerId.Parse("layer");

    internal static byte[] Layer { get; } = StoreJson.Write(new LayerFile.Content(1, new LayerRecord(
        LayerId, LayerId.Parse("below"), LayerKind.Sealed, ["a", "b"], new Dictionary<string, string> { ["k"] = "v" }, DateTimeOffset.UnixEpoch)
    {
        DiffId = Some, ChainId = Some, BlobDigest = Some, BlobSize = 5, Size = 10, Entries = 3, Uids = [0, 1], Gids = [0], Warnings = ["odd"],
    }));

    internal static byte[] Image { get; } = StoreJson.Write(new ImageFile.Content(1, new ImageRecord(
        ImageId.Of(Some), ["image:1"], [LayerId], new Dictionary<string, string>(), DateTimeOffset.UnixEpoch, Some, [new BigDataItem("manifest", 4, Some)])));

    internal static byte[] Format { get; } = StoreJson.Write(new StoreFormat(1, "b6f0d0f2-0000-4000-8000-000000000000", "overlay", StoreFeatures.None));

    internal const string Settings = """
        storage-actors {
          root = "/var/lib/storage-actors"
          driver = overlay
          durability = full
          mount-options = [nodev, "noexec"]
          staging { parallelism = 4, queue = 64 }
          limits { size = 256 GiB, entries = 4000000, ratio = 200, ratio-from = 1 GiB }
          layers { idle-timeout = 2m, linger-retry = 10s }
          retry { times = 5, pause = 50ms, longest-pause = 2s }
          catalog.snapshot-every = 500
          trash.sweep-interval = 10m
          drain-timeout = 5s
        }
        """;

    internal static byte[] Request(string path, string body) =>
        Encoding.Latin1.GetBytes($"POST {path} HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");
}
