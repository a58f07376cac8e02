using System.Text.RegularExpressions;
using Akka.Configuration;
using StorageActors.Node.Hosting;
using StorageActors.Protocol;
using StorageActors.Settings;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Node;

/// <summary>Which setting wins, and that the configuration files in the repository say what is so.</summary>
public sealed class SettingsTests
{
    [Fact]
    public void The_command_line_goes_before_the_file_and_the_file_before_the_defaults()
    {
        using var directory = new TempDirectory();
        var file = directory["node.conf"];
        File.WriteAllText(file, """storage-actors { root = "/from/file", driver = vfs, staging.parallelism = 3 }""");
        var config = new NodeSettings(Driver: "overlay", LogLevel: "debug", File: file).ToConfig("/default");
        Assert.Equal("/from/file", config.GetString("storage-actors.root"));
        Assert.Equal("/from/file/node.sock", config.GetString("storage-actors.socket"));
        Assert.Equal("overlay", config.GetString("storage-actors.driver"));
        Assert.Equal(3, config.GetInt("storage-actors.staging.parallelism"));
        Assert.Equal("DEBUG", config.GetString("akka.loglevel"));
        Assert.Equal("/default", new NodeSettings().ToConfig("/default").GetString("storage-actors.root"));
        Assert.Equal("/given \"x\"", new NodeSettings(Root: "/given \"x\"", File: file).ToConfig("/default").GetString("storage-actors.root"));
    }

    [Fact]
    public void A_file_that_is_no_hocon_is_named()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory["bad.conf"], "storage-actors { root = \\ }");
        var refused = Assert.Throws<StorageException>(() => new NodeSettings(File: directory["bad.conf"]).ToConfig("/default"));
        Assert.Equal(StorageErrorCode.InvalidArgument, refused.Error.Code);
        Assert.Contains("bad.conf", refused.Error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("node.conf")]
    [InlineData("embedded.conf")]
    public void Every_key_of_the_files_in_the_repository_is_one_that_the_engine_knows_and_has_its_comment(string name)
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "hocon", name));
        var known = StorageConfiguration.Reference;
        foreach (var (key, value) in ConfigurationFactory.ParseString(text).GetConfig("storage-actors").AsEnumerable())
        {
            foreach (var path in Paths($"storage-actors.{key}", value)) Assert.True(known.HasPath(path), $"{name} has {path}, which the engine does not");
        }

        var lines = text.Split('\n');
        for (var i = 1; i < lines.Length; i++)
        {
            if (Regex.IsMatch(lines[i], @"^\s+[a-z][a-z.-]* = ", RegexOptions.NonBacktracking)) Assert.Matches(@"^\s*#", lines[i - 1]);
        }
    }

    [Fact]
    public void The_nodes_file_has_the_defaults()
    {
        var file = ConfigurationFactory.ParseString(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "hocon/node.conf")));
        foreach (var path in new[]
        {
            "driver", "durability", "staging.parallelism", "staging.queue", "limits.size", "limits.entries", "limits.ratio", "limits.ratio-from", "layers.idle-timeout",
            "layers.linger-retry", "layers.lease-check", "retry.times", "retry.pause", "retry.longest-pause", "catalog.snapshot-every", "trash.sweep-interval", "drain-timeout",
        })
        {
            Assert.Equal(StorageConfiguration.Reference.GetString("storage-actors." + path), file.GetString("storage-actors." + path));
        }
    }

    private static IEnumerable<string> Paths(string path, Akka.Configuration.Hocon.HoconValue value) =>
        value.IsObject() ? value.GetObject().Items.SelectMany(item => Paths($"{path}.{item.Key}", item.Value)) : [path];
}
