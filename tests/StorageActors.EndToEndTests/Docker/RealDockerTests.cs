using StorageActors.EndToEndTests.Cli;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Docker;

/// <summary>Debian's Docker Engine on this store.</summary>
public sealed class RealDockerTests
{
    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Images_are_loaded_run_changed_committed_built_saved_and_removed(bool exactDiffs)
    {
        await using var real = await RealDocker.StartAsync(exactDiffs);
        Load(real, "debian:test", RealImages.Debian());
        Assert.Equal("hello\n", real.Docker("run", "--rm", "--network", "none", "debian:test", "echo", "hello"));

        real.Docker("run", "-d", "--name", "box", "--network", "none", "debian:test", "sleep", "1000");
        var mount = real.Docker("inspect", "--format", "{{.GraphDriver.Data.LayerID}}", "box").Trim();
        Assert.Contains($"docker:{mount}/", (await real.Store.RunAsync("ps")).Exits(0).Text, StringComparison.Ordinal);
        real.Docker("exec", "box", "sh", "-c", "echo made > /made; rm /etc/issue");
        await real.KillNodeAsync();
        Assert.Equal("made\n", real.Docker("exec", "box", "cat", "/made"));
        Assert.Equal(["A /made", "C /etc", "D /etc/issue"], real.Docker("diff", "box").Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
        real.Docker("commit", "box", "committed");
        real.Docker("stop", "-t", "1", "box");
        Assert.Equal("made\n", real.Docker("run", "--rm", "--network", "none", "committed", "cat", "/made"));

        Directory.CreateDirectory(real["context"]);
        await File.WriteAllTextAsync($"{real["context"]}/Dockerfile", "FROM committed\nCOPY file /copied/\nRUN rm /made && echo built > /built\n");
        await File.WriteAllTextAsync($"{real["context"]}/file", "copied");
        real.Docker("build", "-q", "-t", "built", "--network", "none", real["context"]);
        Assert.Equal("copiedbuilt\n", real.Docker("run", "--rm", "--network", "none", "built", "cat", "/copied/file", "/built"));
        Assert.NotEqual(0, real.TryDocker("run", "--rm", "--network", "none", "built", "cat", "/made").ExitCode);

        var saved = Layers(real, "built");
        Assert.Equal(real.Docker("inspect", "--format", "{{join .RootFS.Layers \" \"}}", "built").Trim().Split(' '), saved);
        await real.RestartDaemonAsync();
        Assert.Equal(saved, Layers(real, "built"));
        Assert.Contains("built", real.Docker("system", "df", "-v"), StringComparison.Ordinal);

        real.Docker("rm", "box");
        real.Docker("rmi", "built", "committed", "debian:test");
        real.Docker("system", "prune", "-a", "-f");
        Assert.Empty((await real.Store.RunAsync("layers", "--quiet")).Exits(0).Lines);
        Assert.Empty((await real.Store.RunAsync("ps", "--quiet")).Exits(0).Lines);
        Assert.Matches(@"(?m)^docker Remove OK +[1-9]", (await real.Store.RunAsync("stats")).Exits(0).Text);
        Assert.Empty((await real.Store.RunAsync("check", "--full", "--json")).Exits(0).Json.EnumerateArray());
    }

    [SkippableFact]
    public async Task Containers_come_and_go_side_by_side()
    {
        await using var real = await RealDocker.StartAsync(exactDiffs: false);
        Load(real, "debian:test", RealImages.Debian());

        await Parallel.ForEachAsync(Enumerable.Range(0, 24), new ParallelOptions { MaxDegreeOfParallelism = 4 }, (index, _) =>
        {
            real.Docker("create", "--name", $"box{index}", "--network", "none", "debian:test", "true");
            real.Docker("cp", $"{real["node.conf"]}", $"box{index}:/srv/");
            real.Docker("rm", $"box{index}");
            return ValueTask.CompletedTask;
        });

        real.Docker("rmi", "debian:test");
        Assert.Empty((await real.Store.RunAsync("layers", "--quiet")).Exits(0).Lines);
        Assert.Empty((await real.Store.RunAsync("ps", "--quiet")).Exits(0).Lines);
    }

    /// <summary>An OCI layout as Docker takes it.</summary>
    private static void Load(RealDocker real, string name, string layout)
    {
        var archive = real["load.tar"];
        Command.Run(Tools.Require("skopeo"), "copy", "--quiet", $"oci:{layout}", $"docker-archive:{archive}:{name}");
        real.Docker("load", "-i", archive);
        File.Delete(archive);
    }

    /// <summary>Digests of the layers that Docker saves, bottom up.</summary>
    private static string[] Layers(RealDocker real, string image)
    {
        var (archive, directory) = (real["save.tar"], Directory.CreateDirectory(real["save"]).FullName);
        real.Docker("save", "-o", archive, image);
        Command.Run("tar", "-C", directory, "-xf", archive);
        var manifest = System.Text.Json.JsonDocument.Parse(File.ReadAllText($"{directory}/manifest.json")).RootElement[0];
        var digests = manifest.GetProperty("Layers").EnumerateArray().Select(layer => Tars.Digest(File.ReadAllBytes($"{directory}/{layer.GetString()}"))).ToArray();
        Directory.Delete(directory, recursive: true);
        return digests;
    }
}
