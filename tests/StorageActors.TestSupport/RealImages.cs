namespace StorageActors.TestSupport;

/// <summary>
/// Images that other programs made of real packages. Making one takes minutes and a package registry, so what was made is kept for the next
/// run on the machine; a test that cannot have one says why it skips, and fails where the tier <c>images</c> is required.
/// </summary>
public static class RealImages
{
    private const string Tier = "images";

    private static string Cache => Directory.CreateDirectory("/var/cache/storage-actors-tests").FullName;

    /// <summary>A Debian root file system, packed by umoci; the layout's only tag is <c>debian</c>.</summary>
    public static string Debian() => Make("debian-bookworm-minbase", static scratch =>
    {
        Needs("debootstrap", "debootstrap");
        Needs("umoci", "umoci");
        Fetch("debootstrap", () =>
        {
            Command.TryRun("rm", "-rf", "--one-file-system", $"{scratch}/rootfs");
            return Command.TryRun("debootstrap", "--variant=minbase", "bookworm", $"{scratch}/rootfs");
        });
        Must(Command.TryRun("tar", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-C", $"{scratch}/rootfs", "-cf", $"{scratch}/rootfs.tar", "."), "tar");
        Pack($"{scratch}/rootfs.tar", $"{scratch}/image", "debian");
        Directory.Delete($"{scratch}/rootfs", recursive: true);
        File.Delete($"{scratch}/rootfs.tar");
    });

    /// <summary>One layer of more than 30,000 small files out of npm packages, packed by umoci; the layout's only tag is <c>npm</c>.</summary>
    public static string Npm() => Make("npm-icons", static scratch =>
    {
        Needs("npm", "npm");
        Needs("umoci", "umoci");
        var tree = Directory.CreateDirectory($"{scratch}/tree/srv/node_modules").FullName;
        foreach (var package in (string[])["@mui/icons-material@5.15.0", "date-fns@2.30.0", "core-js@3.34.0", "lodash@4.17.21"])
        {
            Fetch("npm pack", () => Command.TryRun("npm", "pack", package, "--silent", "--pack-destination", scratch));
            var archive = Directory.GetFiles(scratch, "*.tgz").Single();
            var target = Directory.CreateDirectory(Path.Combine(tree, package.Split('@')[^2].TrimStart('/'))).FullName;
            Must(Command.TryRun("tar", "-xzf", archive, "--strip-components=1", "-C", target), "tar");
            File.Delete(archive);
        }

        Must(Command.TryRun("tar", "--sort=name", "-C", $"{scratch}/tree", "-cf", $"{scratch}/tree.tar", "."), "tar");
        Pack($"{scratch}/tree.tar", $"{scratch}/image", "npm");
        Directory.Delete($"{scratch}/tree", recursive: true);
        File.Delete($"{scratch}/tree.tar");
    });

    /// <summary>Skips, or fails where the tier is required, unless the program is here or can be installed.</summary>
    public static void Needs(string program, string package) =>
        RequiredTiers.SkipUnless(Command.FindOrInstall(program, package) is not null, Tier, $"needs {program}, which is not here and could not be installed");

    private static void Pack(string tar, string layout, string tag)
    {
        Must(Command.TryRun("umoci", "init", "--layout", layout), "umoci init");
        Must(Command.TryRun("umoci", "new", "--image", $"{layout}:{tag}"), "umoci new");
        Must(Command.TryRun("umoci", "raw", "add-layer", "--image", $"{layout}:{tag}", tar), "umoci raw add-layer");
        Must(Command.TryRun("umoci", "gc", "--layout", layout), "umoci gc");
    }

    private static string Make(string name, Action<string> make)
    {
        RequiredTiers.SkipUnlessRoot();
        var image = Path.Combine(Cache, name);
        if (Directory.Exists(image)) return image;
        // One makes it, for all tests of all projects; in the cache's own file system, so that it appears there by one rename.
        using var turn = Command.TakeTurn(name);
        if (Directory.Exists(image)) return image;
        var scratch = Directory.CreateDirectory($"{image}-{Guid.NewGuid():N}.new").FullName;
        try
        {
            make(scratch);
            Directory.Move($"{scratch}/image", image);
            return image;
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    /// <summary>What comes over a network is asked for several times.</summary>
    private static void Fetch(string what, Func<CommandResult?> fetch)
    {
        CommandResult? result = null;
        Command.Insist(what, () => (result = fetch()) is { ExitCode: 0 } ? null : result?.Error.Trim().Split('\n')[^1] ?? "it is not here");
        Must(result, what);
    }

    /// <summary>Without a registry the tools fail: that is a machine that cannot run the tier, not a defect.</summary>
    private static void Must(CommandResult? result, string what) =>
        RequiredTiers.SkipUnless(result is { ExitCode: 0 }, Tier, $"{what} failed: {result?.Error.Trim().Split('\n')[^1] ?? "it is not here"}");
}
