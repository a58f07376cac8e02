using Akka.Configuration;
using StorageActors.Protocol;

namespace StorageActors.Node.Doors;

/// <summary>One door of a node: a protocol of somebody else's, on a socket of its own.</summary>
/// <param name="Name">Its key below <c>storage-actors.doors</c>; marks what is made through it.</param>
/// <param name="Type">The protocol.</param>
/// <param name="Socket">Absolute path of its socket.</param>
/// <param name="Content">For containerd: its content store; null when layers are not extracted here.</param>
/// <param name="ExactDiffs">For Docker: whether it leaves the structure of layers to the store.</param>
public sealed record DoorSettings(string Name, DoorType Type, string Socket, string? Content, bool ExactDiffs = false)
{
    private const string Section = "storage-actors.doors";

    /// <summary>The doors of a configuration, by name; one that is switched off (an empty socket) is left out.</summary>
    /// <param name="config">The node's configuration.</param>
    /// <exception cref="StorageException">A key is wrong; the message names it.</exception>
    public static IReadOnlyList<DoorSettings> From(Config config)
    {
        if (!config.HasPath(Section)) return [];
        var names = config.GetValue(Section).GetObject().Items.Keys.Order(StringComparer.Ordinal);
        var doors = names.Select(name => Read(name, config.GetConfig($"{Section}.{name}"))).OfType<DoorSettings>().ToList();
        if (doors.GroupBy(static door => door.Socket, StringComparer.Ordinal).FirstOrDefault(static group => group.Count() > 1) is { } shared)
            throw Wrong(shared.Last().Name, "socket", $"{shared.Key} is the socket of another door already");
        return doors;
    }

    private static DoorSettings? Read(string name, Config door)
    {
        if (name.Length > 64 || !name.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
            throw Wrong(name, "", "the name of a door has lower-case letters, digits and dashes alone");
        var socket = door.GetString("socket", "");
        if (socket.Length == 0) return null;
        var type = door.GetString("type", name);
        if (!Enum.TryParse<DoorType>(type, ignoreCase: true, out var known) || !Enum.IsDefined(known))
            throw Wrong(name, "type", $"{type} is no kind of door; these are: {string.Join(", ", Enum.GetNames<DoorType>()).ToLowerInvariant()}");
        var content = door.GetString("content", "");
        if (content.Length > 0 && !Path.IsPathFullyQualified(content)) throw Wrong(name, "content", $"{content} is not absolute");
        return new DoorSettings(name, known, Path.GetFullPath(socket), content.Length == 0 ? null : content, door.GetBoolean("exact-diffs", false));
    }

    private static StorageException Wrong(string door, string key, string what) =>
        new(new StorageError(StorageErrorCode.InvalidArgument, "settings", $"{Section}.{door}{(key.Length == 0 ? "" : "." + key)}: {what}"));
}

/// <summary>The protocols that a door may speak.</summary>
public enum DoorType
{
    /// <summary>containerd's proxy plugins for snapshots and diffs, gRPC.</summary>
    Containerd,

    /// <summary>Docker Engine's graph-driver plugin, JSON over HTTP/1.1.</summary>
    Docker,
}
