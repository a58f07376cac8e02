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
    [InlineData("storage-actors {\n  mount-options = [nodev\n}\n", "line 3: } stands where the [ of line 2 is not closed yet")]
    [InlineData("storage-actors {\n  staging { parallelism = 2\n", "line 2: the { is not closed")]
    [InlineData("storage-actors {\n}\n}\n", "line 3: } closes nothing")]
    [InlineData("# }\nstorage-actors {\n  driver = \"vfs\n}\n", "line 3: a text in quotation marks begins here and does not end")]
    [InlineData("storage-actors = 5", "storage-actors is a section")]
    [InlineData("storage-actors.staging = 5", "storage-actors.staging is a section")]
    [InlineData("storage-actors {\n  stagging.parallelism = 3\n}", "storage-actors.stagging is no setting")]
    [InlineData("storage-actors.staging { paralellism = 3 }", "storage-actors.staging.paralellism is no setting")]
    [InlineData("akka.loglevel = LOUD", "akka.loglevel = LOUD")]
    [InlineData("include \"other.conf\"\nstorage-actors { retry.times = 2 }", "includes another file")]
    public void What_is_wrong_with_a_file_is_said_with_its_line_or_its_key(string text, string expected)
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory["bad.conf"], text);
        var refused = Assert.Throws<StorageException>(() => new NodeSettings(File: directory["bad.conf"]).ToConfig("/default"));
        Assert.Equal(StorageErrorCode.InvalidArgument, refused.Error.Code);
        Assert.StartsWith($"{directory["bad.conf"]}: ", refused.Error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, refused.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Brackets_in_comments_and_quotation_marks_are_no_brackets()
    {
        using var directory = new TempDirectory();
        const string text = "// }\nstorage-actors { # [\n  root = \"/a}\\\"[\"\n  mount-options = [nodev, \"\"\"context={\n\"\"\"]\n  doors.mine { anything = 1 }\n}";
        File.WriteAllText(directory["good.conf"], text);
        Assert.Equal("/a}\"[", new NodeSettings(File: directory["good.conf"]).ToConfig("/default").GetString("storage-actors.root"));
    }

    [Fact]
    public void A_root_that_the_file_leaves_empty_is_the_default_one()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory["empty.conf"], "storage-actors { root = \"\", socket = \"\" }");
        Assert.Equal("/default/node.sock", new NodeSettings(File: directory["empty.conf"]).ToConfig("/default").GetString("storage-actors.socket"));
    }

    [Theory]
    [InlineData("node.conf")]
    [InlineData("embedded.conf")]
    [InlineData("containerd.conf")]
    [InlineData("docker.conf")]
    public void The_files_of_the_repository_are_taken(string name) =>
        Assert.NotEmpty(new NodeSettings(File: Path.Combine(AppContext.BaseDirectory, "hocon", name)).ToConfig("/default").GetString("storage-actors.root"));

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
            "layers.linger-retry", "layers.lease-check", "retry.times", "retry.pause", "retry.longest-pause", "catalog.snapshot-every", "catalog.pack-from", "trash.sweep-interval", "drain-timeout",
        })
        {
            Assert.Equal(StorageConfiguration.Reference.GetString("storage-actors." + path), file.GetString("storage-actors." + path));
        }
    }

    private static IEnumerable<string> Paths(string path, Akka.Configuration.Hocon.HoconValue value) =>
        value.IsObject() ? value.GetObject().Items.SelectMany(item => Paths($"{path}.{item.Key}", item.Value)) : [path];
}
