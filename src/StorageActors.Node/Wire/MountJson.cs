using System.Text.Json;
using StorageActors.Protocol;
using StorageActors.Protocol.Identity;
using StorageActors.Records;

namespace StorageActors.Node.Wire;

/// <summary>Mounts and leases in answers, read by hand; see <see cref="ReplyJson"/>.</summary>
internal static class MountJson
{
    private static readonly IdMapJsonConverter Ids = new();

    internal static LayerProtocol.Acquired Acquired(ref Utf8JsonReader reader)
    {
        LayerId? layer = null;
        LeaseId? lease = null;
        string? path = null;
        MountMode? mode = null;
        int? leases = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            switch (name)
            {
                case "layer": layer = JsonRead.LayerId(ref reader); break;
                case "lease": lease = Lease(ref reader); break;
                case "mountPath": path = JsonRead.Text(ref reader); break;
                case "mode": mode = Mode(ref reader); break;
                case "leases": leases = Count(ref reader); break;
                default: JsonRead.Pass(ref reader); break;
            }
        }

        return new LayerProtocol.Acquired(
            layer ?? throw JsonRead.Missing("layer"), lease ?? throw JsonRead.Missing("lease"), path ?? throw JsonRead.Missing("mountPath"), mode ?? throw JsonRead.Missing("mode"),
            leases ?? throw JsonRead.Missing("leases"));
    }

    internal static LayerProtocol.Released Released(ref Utf8JsonReader reader)
    {
        LayerId? layer = null;
        int? left = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            if (name == "layer") layer = JsonRead.LayerId(ref reader);
            else if (name == "leasesLeft") left = Count(ref reader);
            else JsonRead.Pass(ref reader);
        }

        return new LayerProtocol.Released(layer ?? throw JsonRead.Missing("layer"), left ?? throw JsonRead.Missing("leasesLeft"));
    }

    internal static MountRecord Mount(ref Utf8JsonReader reader)
    {
        JsonRead.Begin(ref reader, JsonTokenType.StartObject);
        LayerId? layer = null;
        string? path = null;
        MountMode? mode = null;
        List<LeaseRecord>? leases = null;
        IdMap? ids = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            switch (name)
            {
                case "layer": layer = JsonRead.LayerId(ref reader); break;
                case "path": path = JsonRead.Text(ref reader); break;
                case "mode": mode = Mode(ref reader); break;
                case "leases": leases = ReplyJson.List(ref reader, LeaseRecord); break;
                case "ids": ids = reader.TokenType == JsonTokenType.Null ? null : Ids.Read(ref reader, typeof(IdMap), null!); break;
                default: JsonRead.Pass(ref reader); break;
            }
        }

        return new MountRecord(
            layer ?? throw JsonRead.Missing("layer"), path ?? throw JsonRead.Missing("path"), mode ?? throw JsonRead.Missing("mode"), leases ?? throw JsonRead.Missing("leases"), ids);
    }

    private static LeaseRecord LeaseRecord(ref Utf8JsonReader reader)
    {
        JsonRead.Begin(ref reader, JsonTokenType.StartObject);
        LeaseId? lease = null;
        string? owner = null;
        DateTimeOffset? since = null, until = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            switch (name)
            {
                case "lease": lease = Lease(ref reader); break;
                case "owner": owner = JsonRead.Text(ref reader); break;
                case "since": since = JsonRead.Time(ref reader); break;
                case "until": until = JsonRead.TimeOrNull(ref reader); break;
                default: JsonRead.Pass(ref reader); break;
            }
        }

        return new LeaseRecord(lease ?? throw JsonRead.Missing("lease"), owner ?? throw JsonRead.Missing("owner"), since ?? throw JsonRead.Missing("since"), until);
    }

    internal static LayerProtocol.Holders Holders(ref Utf8JsonReader reader)
    {
        LayerId? layer = null;
        string[]? lines = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            if (name == "layer") layer = JsonRead.LayerId(ref reader);
            else if (name == "lines") lines = JsonRead.Texts(ref reader);
            else JsonRead.Pass(ref reader);
        }

        return new LayerProtocol.Holders(layer ?? throw JsonRead.Missing("layer"), lines ?? throw JsonRead.Missing("lines"));
    }

    private static LeaseId Lease(ref Utf8JsonReader reader)
    {
        try { return LeaseId.Parse(JsonRead.Text(ref reader)); }
        catch (FormatException e) { throw new JsonException(e.Message, e); }
    }

    private static MountMode Mode(ref Utf8JsonReader reader) => JsonRead.Text(ref reader) switch
    {
        "readWrite" => MountMode.ReadWrite,
        "readOnly" => MountMode.ReadOnly,
        _ => throw JsonRead.Wrong(ref reader, "readWrite or readOnly"),
    };

    private static int Count(ref Utf8JsonReader reader) =>
        JsonRead.Number(ref reader) is >= int.MinValue and <= int.MaxValue and var count ? (int)count : throw JsonRead.Wrong(ref reader, "a count");
}
