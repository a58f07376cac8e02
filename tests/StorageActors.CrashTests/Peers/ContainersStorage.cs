using System.Diagnostics;
using System.Text.Json;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;

namespace StorageActors.CrashTests.Peers;

/// <summary>Debian's <c>containers-storage</c> with its overlay driver and its defaults.</summary>
internal sealed class ContainersStorage : IImporter
{
    private readonly string _program;
    private readonly string _root;
    private readonly string[] _options;

    internal ContainersStorage(string directory)
    {
        _program = Command.FindOrInstall("containers-storage", "containers-storage") ?? throw new InvalidOperationException("needs containers-storage, of the package of this name");
        _root = Path.Combine(directory, "peer");
        _options = ["-g", _root, "-R", Path.Combine(directory, "peer-run"), "-s", "overlay"];
    }

    public string Name => "containers-storage";

    public ProcessStartInfo Import(string tar, string id)
    {
        var start = new ProcessStartInfo(_program) { UseShellExecute = false, RedirectStandardOutput = true };
        foreach (var argument in (string[])[.. _options, "import-layer", "-f", tar, "-i", id]) start.ArgumentList.Add(argument);
        return start;
    }

    public Task<(IReadOnlyList<string> Whole, IReadOnlyList<string> Unusable, IReadOnlyList<string> Leftovers)> LookAsync(Digest expected)
    {
        var (whole, unusable, leftovers) = (new List<string>(), new List<string>(), new List<string>());
        foreach (var layer in Layers())
        {
            var target = Path.Combine(_root, "..", "peer.tar");
            var diff = Command.TryRun(_program, [.. _options, "diff", "-u", "-f", target, layer]);
            (diff is { ExitCode: 0 } && Digest.Of(File.ReadAllBytes(target)) == expected ? whole : unusable).Add(layer);
            File.Delete(target);
        }

        // Those that are whole are removed, so that the store stays small; what is left then belongs to no layer, or to one that cannot be used.
        foreach (var layer in whole) Command.Run(_program, [.. _options, "delete-layer", layer]);
        var known = Layers().ToHashSet(StringComparer.Ordinal);
        var home = Path.Combine(_root, "overlay");
        leftovers.AddRange(Directory.EnumerateDirectories(home).Select(Path.GetFileName).Where(name => name is not ("l" or "tempdirs" or "staging") && !known.Contains(name!)).Select(static name => "overlay/" + name));
        leftovers.AddRange(Directory.EnumerateFileSystemEntries(Path.Combine(home, "l")).Where(static link => !Directory.Exists(link)).Select(static link => "overlay/l/" + Path.GetFileName(link)));
        leftovers.AddRange(Directory.EnumerateFiles(Path.Combine(_root, "overlay-layers"), "*.tar-split.gz").Select(Path.GetFileName).Where(name => !known.Contains(name!.Split('.')[0])).Select(static name => "overlay-layers/" + name));
        foreach (var temporary in new[] { "overlay-layers", "overlay/tempdirs", "overlay/staging", "tmp" }.Select(name => Path.Combine(_root, name)).Where(Directory.Exists))
            leftovers.AddRange(Directory.EnumerateFileSystemEntries(temporary).Where(path => temporary.EndsWith("overlay-layers", StringComparison.Ordinal) ? Path.GetFileName(path)[0] == '.' : true));
        Unmount();
        return Task.FromResult<(IReadOnlyList<string>, IReadOnlyList<string>, IReadOnlyList<string>)>((whole, unusable, leftovers));
    }

    public void Dispose() => Unmount();

    /// <summary>The driver leaves its home mounted on itself; that is its way, and no leftover.</summary>
    private void Unmount()
    {
        foreach (var mount in MountTable.ReadBelow(_root))
        {
            if (Libc.TryUmount2(mount.Target) != Errno.None) Libc.TryUmount2(mount.Target, UnmountFlags.Detach);
        }
    }

    private List<string> Layers()
    {
        using var list = JsonDocument.Parse(Command.Run(_program, [.. _options, "layers", "-j"]) is { Length: > 0 } text ? text : "[]");
        return list.RootElement.ValueKind == JsonValueKind.Array ? [.. list.RootElement.EnumerateArray().Select(static layer => layer.GetProperty("id").GetString()!)] : [];
    }
}
