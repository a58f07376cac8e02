using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// The short links <c>l/&lt;name&gt;</c> → <c>../&lt;id&gt;/diff</c>. A layer's name is in its file <c>link</c>, which counts; a link that is missing is
/// made again when it is needed. Thread safe.
/// </summary>
internal sealed class OverlayLinks
{
    private readonly string _home;
    private readonly string _root;
    private readonly Lock _repair = new();

    internal OverlayLinks(string home)
    {
        (_home, _root) = (home, Path.GetDirectoryName(home) + "/");
        MakeDirectory(home);
        MakeDirectory(home + "/l");
    }

    /// <summary>Gives a staged layer its name; it keeps one that it has, as layers of additional stores do.</summary>
    internal string Assign(LayerDirectory layer)
    {
        lock (_repair)
        {
            if (SmallFile.TryRead(layer.Path + "/link") is { } name && LinkName.IsValid(name)) return name;
            if (!layer.Path.StartsWith(_root, StringComparison.Ordinal)) throw new LinuxException("open", layer.Path + "/link", Errno.ENOENT, detail: "a layer of an additional store has no short name, and is given none here");
            name = LinkName.New();
            SmallFile.Write(layer.Path + "/link", name);
            return name;
        }
    }

    /// <summary>Makes the link of a layer, which may dangle until the layer's directory is renamed into the home; returns it relative to the home.</summary>
    internal string Publish(LayerDirectory layer)
    {
        var link = "l/" + Assign(layer);
        var target = Target(layer.Id);
        if (ReadLink(link) == target) return link;
        lock (_repair)
        {
            Libc.TryUnlinkAt(Libc.CurrentDirectory, Bytes($"{_home}/{link}"));
            var errno = Libc.TrySymlinkAt(Bytes(target), Libc.CurrentDirectory, Bytes($"{_home}/{link}"));
            if (errno is not (Errno.None or Errno.EEXIST)) throw new LinuxException("symlink", $"{_home}/{link}", errno, target);
        }

        return link;
    }

    /// <summary>Removes the link of a layer, if it is the layer's.</summary>
    internal void Remove(LayerDirectory layer)
    {
        if (SmallFile.TryRead(layer.Path + "/link") is { } name && LinkName.IsValid(name) && ReadLink("l/" + name) == Target(layer.Id)) Unlink(name);
    }

    /// <summary>Removes links that no layer owns, and makes those again that a layer lacks. Returns a line for each thing done.</summary>
    internal IReadOnlyList<string> Recover(IReadOnlyCollection<LayerId> layers)
    {
        var done = new List<string>();
        var owners = new Dictionary<string, LayerDirectory>(layers.Count);
        using var home = Libc.OpenDirectory(_home);
        foreach (var id in layers)
        {
            var layer = new LayerDirectory(id, $"{_home}/{id}");
            if (TryReadName(home, id) is { } name) owners[name] = layer;
            else if (Libc.TryStat(layer.Path, out var status) == Errno.None && status.IsDirectory) owners[Assign(layer)] = layer;
        }

        foreach (var name in Names())
        {
            if (owners.TryGetValue(name, out var owner) && ReadLink(home, "l/" + name) == Target(owner.Id))
            {
                owners.Remove(name);
                continue;
            }

            Unlink(name);
            done.Add($"removed the short link {name}, which no layer owns");
        }

        foreach (var (name, owner) in owners)
        {
            Publish(owner);
            done.Add($"made the short link {name} of layer {owner.Id} again");
        }

        return done;
    }

    /// <summary>
    /// The same when nothing should be to do: as many links as layers are taken for theirs. One that is wrong all the same is made again when it is needed, and the next thorough look
    /// removes one that nobody owns.
    /// </summary>
    internal IReadOnlyList<string> RecoverStopped(IReadOnlyCollection<LayerId> layers) => CountNames() == layers.Count ? [] : Recover(layers);

    /// <summary>As <see cref="Assign"/> reads it, with few calls: a start asks for the name of each layer.</summary>
    private static string? TryReadName(SafeFileHandle home, LayerId layer)
    {
        var path = Bytes($"{layer}/link");
        var errno = Libc.TryOpenAt(home, path, OpenFlags.NoFollow, 0, out var file);
        using (file)
        {
            if (errno is Errno.ENOENT or Errno.ENOTDIR) return null;
            if (errno != Errno.None) throw Libc.Failure("openat", home, path, errno);
            Span<byte> text = stackalloc byte[LinkName.Length + 1];
            var name = Encoding.UTF8.GetString(text[..Libc.ReadFully(file, text)]);
            return LinkName.IsValid(name) ? name : null;
        }
    }

    private static string Target(LayerId layer) => $"../{layer}/diff";

    private List<string> Names()
    {
        using var directory = Libc.OpenDirectory(_home + "/l");
        using var reader = new DirectoryReader(directory);
        var names = new List<string>();
        while (reader.TryRead(out var entry)) names.Add(Encoding.UTF8.GetString(entry.Name));
        return names;
    }

    private int CountNames()
    {
        using var directory = Libc.OpenDirectory(_home + "/l");
        using var reader = new DirectoryReader(directory);
        var count = 0;
        while (reader.TryRead(out _)) count++;
        return count;
    }

    private string? ReadLink(string link)
    {
        using var home = Libc.OpenDirectory(_home);
        return ReadLink(home, link);
    }

    private static string? ReadLink(SafeFileHandle home, string link)
    {
        var errno = Libc.TryReadlinkAt(home, Bytes(link), out var target);
        return errno switch
        {
            Errno.None => Encoding.UTF8.GetString(target),
            Errno.ENOENT or Errno.EINVAL => null,   // no such name, or no link
            _ => throw Libc.Failure("readlinkat", home, Bytes(link), errno),
        };
    }

    private void Unlink(string name)
    {
        var errno = Libc.TryUnlinkAt(Libc.CurrentDirectory, Bytes($"{_home}/l/{name}"));
        if (errno is not (Errno.None or Errno.ENOENT)) throw new LinuxException("unlink", $"{_home}/l/{name}", errno);
    }

    private static void MakeDirectory(string path)
    {
        var errno = Libc.TryMkdirAt(Libc.CurrentDirectory, Bytes(path), 0x1C0);   // 0700
        if (errno is not (Errno.None or Errno.EEXIST)) throw new LinuxException("mkdir", path, errno);
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
