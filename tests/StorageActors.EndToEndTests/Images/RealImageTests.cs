using System.Security.Cryptography;
using StorageActors.EndToEndTests.Cli;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Images;

/// <summary>Images that other programs made go in, run, and come out as other programs want them.</summary>
[Collection("real images")]
public sealed class RealImageTests
{
    [SkippableFact]
    public async Task A_debian_image_runs_and_comes_back_with_its_digests()
    {
        var image = RealImages.Debian();
        RealImages.Needs("skopeo", "skopeo");
        await using var store = new CliStore();

        var imported = (await store.RunAsync("import", $"oci:{image}:debian", "--json")).Exits(0).Json;
        var layer = imported.GetProperty("layers")[0];
        var diffId = layer.GetProperty("diffId").GetString()!;

        var container = (await store.RunAsync("create", "--image", imported.GetProperty("id").GetString()!)).Exits(0).Line;
        var path = (await store.RunAsync("mount", container, "--lease", "test")).Exits(0).Line;
        Assert.Contains("etc", Command.Run("chroot", path, "/bin/ls", "-l", "/"), StringComparison.Ordinal);
        Command.Run("chroot", path, "/bin/sh", "-c", "echo written > /root/file && rm /etc/motd 2>/dev/null; true");
        Assert.Contains("A /root/file", (await store.RunAsync("changes", container)).Exits(0).Lines);
        (await store.RunAsync("umount", container, "--lease", "test")).Exits(0);

        var tar = store["layer.tar"];
        (await store.RunAsync("diff", layer.GetProperty("id").GetString()!, "-o", tar)).Exits(0);
        await using (var file = File.OpenRead(tar)) Assert.Equal(diffId, "sha256:" + Convert.ToHexStringLower(await SHA256.HashDataAsync(file)));

        var exported = store["exported"];
        var manifest = (await store.RunAsync("export", imported.GetProperty("id").GetString()!, $"oci:{exported}:again")).Exits(0).Line;
        Assert.Equal(Command.Run("skopeo", "inspect", "--format", "{{.Digest}}", $"oci:{image}:debian").Trim(), manifest);
        Assert.Equal(manifest, Command.Run("skopeo", "inspect", "--format", "{{.Digest}}", $"oci:{exported}:again").Trim());
        Assert.Contains("again", Command.Run("umoci", "ls", "--layout", exported), StringComparison.Ordinal);

        (await store.RunAsync("rm", container)).Exits(0);
        (await store.RunAsync("rm", imported.GetProperty("id").GetString()!)).Exits(0);
        Assert.Empty((await store.RunAsync("layers", "--json")).Exits(0).Json.EnumerateArray());
        (await store.RunAsync("check")).Exits(0);
    }

    [SkippableFact]
    public async Task The_archives_of_another_program_are_the_same_image()
    {
        var image = RealImages.Debian();
        RealImages.Needs("skopeo", "skopeo");
        await using var store = new CliStore();
        var docker = store["docker.tar"];
        var archive = store["oci.tar"];
        Command.Run("skopeo", "--insecure-policy", "copy", "-q", $"oci:{image}:debian", $"docker-archive:{docker}:debian:test");
        Command.Run("skopeo", "--insecure-policy", "copy", "-q", $"oci:{image}:debian", $"oci-archive:{archive}:debian");

        var first = (await store.RunAsync("import", archive, "--json")).Exits(0).Json;
        var second = (await store.RunAsync("import", docker, "--json")).Exits(0).Json;

        Assert.Equal(first.GetProperty("layers")[0].GetProperty("id").GetString(), second.GetProperty("layers")[0].GetProperty("id").GetString());
        Assert.True(second.GetProperty("layers")[0].GetProperty("reused").GetBoolean());
        var back = store["back.tar"];
        (await store.RunAsync("export", second.GetProperty("id").GetString()!, $"docker-archive:{back}:debian:back")).Exits(0);
        Assert.Contains("docker.io/library/debian", Command.Run("skopeo", "inspect", $"docker-archive:{back}:debian:back"), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_layer_of_thirty_thousand_small_files_is_mounted_and_comes_back()
    {
        var image = RealImages.Npm();
        await using var store = new CliStore();
        var imported = (await store.RunAsync("import", $"oci:{image}:npm", "--json")).Exits(0).Json;
        var layer = imported.GetProperty("layers")[0];
        var path = (await store.RunAsync("mount", layer.GetProperty("id").GetString()!)).Exits(0).Line;
        Assert.True(Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Count() > 30_000);
        (await store.RunAsync("umount", path, "--all")).Exits(0);
        var exported = store["exported"];
        var manifest = (await store.RunAsync("export", imported.GetProperty("id").GetString()!, $"oci:{exported}")).Exits(0).Line;
        Assert.True(File.Exists(Path.Combine(exported, "blobs/sha256", manifest["sha256:".Length..])));
        (await store.RunAsync("check", "--full")).Exits(0);
    }
}
