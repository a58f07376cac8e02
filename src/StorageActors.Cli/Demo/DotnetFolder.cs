namespace StorageActors.Cli.Demo;

/// <summary>The folder of the .NET that runs this process: some hundred megabytes of real files, which every machine has that can run the demo.</summary>
internal sealed class DotnetFolder
{
    private const long Budget = 130_000_000;

    private DotnetFolder(string root, string runtime) => (Root, Runtime) = (root, runtime);

    /// <summary>Where it lies on this machine.</summary>
    internal string Root { get; }

    /// <summary>The folder of the runtime, relative to the root.</summary>
    internal string Runtime { get; }

    internal static DotnetFolder Find()
    {
        var runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        var root = Path.GetFullPath(Path.Combine(runtime, "../../.."));
        return new DotnetFolder(root, Path.GetRelativePath(root, runtime));
    }

    /// <summary>The newest of the frameworks of this name, relative to the root; none if it is not there.</summary>
    internal string? Framework(string name)
    {
        var folder = Path.Combine(Root, "shared", name);
        return Directory.Exists(folder) && Newest(folder) is { } version ? Path.GetRelativePath(Root, version) : null;
    }

    /// <summary>Parts of the newest SDK, relative to the root: as many as fit a demo's patience; none if only the runtime is there.</summary>
    internal IReadOnlyList<string> SdkParts()
    {
        var folder = Path.Combine(Root, "sdk");
        if (!Directory.Exists(folder) || Newest(folder) is not { } sdk) return [];
        var (parts, left) = (new List<string>(), Budget);
        foreach (var part in Directory.EnumerateDirectories(sdk).OrderByDescending(SizeOf))
        {
            var size = SizeOf(part);
            if (size > left) continue;
            left -= size;
            parts.Add(Path.GetRelativePath(Root, part));
        }

        return parts;
    }

    private static string? Newest(string folder) =>
        Directory.EnumerateDirectories(folder).MaxBy(static path => Version.TryParse(Path.GetFileName(path).Split('-')[0], out var version) ? version : new Version());

    private static long SizeOf(string folder) =>
        new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(static file => file.LinkTarget is null ? file.Length : 0);
}
