using StorageActors.EndToEndTests.Cli;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Containerd;

/// <summary>Debian's containerd on this store.</summary>
public sealed class RealContainerdTests
{
    private const string Image = "example.org/debian:debian";

    [SkippableFact]
    public async Task An_image_is_imported_run_committed_and_collected_across_restarts_of_both_sides()
    {
        await using var real = await RealContainerd.StartAsync();
        var archive = real.Archive(RealImages.Debian());
        real.Ctr("image", "import", "--snapshotter", "ours", "--base-name", "example.org/debian", archive);
        var layer = Snapshots(real).Single().Split(' ')[0];
        Assert.Equal("hello\n", Run(real, "echo hello"));

        var container = real.NewContainer();
        var runs = real.TryCtr("run", "-d", "--snapshotter", "ours", "--net-host", Image, container, "/bin/sleep", "1000").ExitCode == 0;
        if (runs)
        {
            await real.RestartNodeAsync();
            await real.RestartDaemonAsync();
            Assert.Equal("made\n", real.Ctr("task", "exec", "--exec-id", "e1", container, "/bin/sh", "-c", "echo made > /made; cat /made"));
            Assert.Contains(container, (await real.Store.RunAsync("ps")).Exits(0).Text, StringComparison.Ordinal);
            real.Ctr("task", "rm", "-f", container);
        }
        else
        {
            real.Ctr("snapshot", "--snapshotter", "ours", "prepare", container, layer);
            await real.RestartNodeAsync();
            await real.RestartDaemonAsync();
            Chroot(real, container, "echo made > /made");
        }

        real.Ctr("snapshot", "--snapshotter", "ours", "commit", "kept", container);
        real.Ctr("snapshot", "--snapshotter", "ours", "prepare", "again", "kept");
        Assert.Equal("made\n", Chroot(real, "again", "cat /made"));
        Assert.Contains("made", real.Ctr("snapshot", "--snapshotter", "ours", "diff", "--media-type", "application/vnd.oci.image.layer.v1.tar", "kept"), StringComparison.Ordinal);

        foreach (var key in (string[])["again", "kept"]) real.Ctr("snapshot", "--snapshotter", "ours", "rm", key);
        if (runs) real.Ctr("container", "rm", container);
        real.Ctr("image", "rm", "--sync", Image);
        Assert.Empty(Snapshots(real));
        Assert.Empty((await real.Store.RunAsync("layers", "--quiet")).Exits(0).Lines);
        Assert.Empty((await real.Store.RunAsync("ps", "--quiet")).Exits(0).Lines);
        Assert.Matches(@"containerd Remove Ok\s+[1-9]", (await real.Store.RunAsync("stats")).Exits(0).Text);
    }

    [SkippableFact]
    public async Task The_tree_is_that_of_containerds_own_snapshotter_attribute_by_attribute()
    {
        await using var real = await RealContainerd.StartAsync();
        byte[][] layers =   // With each directory that they change, whose time would else be that of the extraction.
        [
            Tars.Of(("./", ""), ("etc/", ""), ("etc/kept", "1"), ("etc/gone", "1"), ("var/", ""), ("var/lib/", ""), ("var/lib/old", "1"), ("srv/", ""), ("srv/x", "1")),
            Tars.Of(("./", ""), ("etc/", ""), ("etc/.wh.gone", ""), ("etc/new", "2"), ("var/", ""), ("var/lib/", ""), ("var/lib/.wh..wh..opq", ""), ("var/lib/young", "2")),
            Tars.Of(("./", ""), ("deep/", ""), ("deep/er/", ""), ("deep/er/file", "3"), (".wh.srv", "")),
        ];
        var layout = OciLayout.Write(real["layers"], [.. layers.SelectMany(static tar => new[] { Tars.Gzip(tar), tar })]);
        foreach (var (name, source) in new[] { ("example.org/layers:v1", layout.Path), (Image, RealImages.Debian()) })
        {
            var archive = real.Archive(source);
            var trees = new List<IReadOnlyList<string>>();
            foreach (var snapshotter in (string[])["ours", "overlayfs"])
            {
                real.Ctr("image", "import", "--snapshotter", snapshotter, "--base-name", name[..name.LastIndexOf(':')], archive);
                var target = Directory.CreateDirectory(real["tree"]).FullName;
                real.Ctr("image", "mount", "--snapshotter", snapshotter, name, target);
                try
                {
                    trees.Add(TreeSnapshot.Capture(target, showsXattr: static xattr => !xattr.StartsWith("trusted.overlay.", StringComparison.Ordinal)).Lines);
                }
                finally
                {
                    real.Ctr("image", "unmount", "--rm", "--snapshotter", snapshotter, target);
                }

                // The records of what was unpacked are the image's: the next snapshotter has to do it all again.
                real.Ctr("image", "rm", "--sync", name);
            }

            Assert.True(trees[0].Count > 5);
            Assert.Equal(trees[1].Select(WithoutRootTime), trees[0].Select(WithoutRootTime));
        }
    }

    /// <summary>containerd's extraction, which is at work here in both cases, leaves the root the time at which it ran.</summary>
    private static string WithoutRootTime(string line) => line.StartsWith(". ", StringComparison.Ordinal) ? line[..line.IndexOf(" mtime=", StringComparison.Ordinal)] : line;

    private static string[] Snapshots(RealContainerd real) =>
        [.. real.Ctr("snapshot", "--snapshotter", "ours", "ls").Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1)];

    /// <summary>In a container of runc's; where the machine allows none, by mounting and chroot.</summary>
    private static string Run(RealContainerd real, string command)
    {
        var container = real.NewContainer();
        var result = real.TryCtr("run", "--rm", "--snapshotter", "ours", "--net-host", Image, container, "/bin/sh", "-c", command);
        if (result.ExitCode == 0) return result.Output;
        real.TryCtr("container", "rm", container);
        real.Ctr("snapshot", "--snapshotter", "ours", "prepare", container + "-chroot", Snapshots(real).First(static line => line.StartsWith("sha256:", StringComparison.Ordinal)).Split(' ')[0]);
        var output = Chroot(real, container + "-chroot", command);
        real.Ctr("snapshot", "--snapshotter", "ours", "rm", container + "-chroot");
        return output;
    }

    private static string Chroot(RealContainerd real, string key, string command)
    {
        var target = Directory.CreateDirectory(real["chroot"]).FullName;
        Command.Run("sh", "-c", real.Ctr("snapshot", "--snapshotter", "ours", "mounts", target, key));
        try
        {
            return Command.Run("chroot", target, "/bin/sh", "-c", command);
        }
        finally
        {
            TempDirectory.Unmount(target);
        }
    }
}
