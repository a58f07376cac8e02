using System.Text;
using StorageActors.Cli;
using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>How results and failures look to people.</summary>
public sealed class OutputTests
{
    [Fact]
    public void A_file_that_links_lead_to_is_written_and_the_links_stay()
    {
        using var temp = new TempDirectory();
        Directory.CreateDirectory(temp["deep/er"]);
        Directory.CreateSymbolicLink(temp["folder"], "deep/er");
        File.CreateSymbolicLink(temp["first"], "folder/second");
        File.CreateSymbolicLink(temp["deep/er/second"], "../file");
        foreach (var content in (string[])["new", "replaced"]) OutputFile.Write(temp["first"], Encoding.UTF8.GetBytes(content));
        Assert.Equal("replaced", File.ReadAllText(temp["deep/file"]));
        Assert.Equal(["folder/second", "../file"], [new FileInfo(temp["first"]).LinkTarget!, new FileInfo(temp["deep/er/second"]).LinkTarget!]);
        File.CreateSymbolicLink(temp["circle"], "circle");
        Assert.Equal(Errno.ELOOP, Assert.Throws<LinuxException>(() => OutputFile.Write(temp["circle"], "x"u8)).Errno);
    }

    [Fact]
    public async Task Documents_that_are_too_much_for_one_command_are_not_read()
    {
        using var temp = new TempDirectory();
        await using (var file = File.Create(temp["file"])) file.SetLength(11 << 20);
        var files = new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = temp["file"], ["b"] = temp["file"] };
        Assert.Equal(2, (await DocumentFiles.ReadAllAsync(files, CancellationToken.None))!.Count);
        files.Add("c", temp["file"]);
        var refused = await Assert.ThrowsAsync<StorageException>(() => DocumentFiles.ReadAllAsync(files, CancellationToken.None));
        Assert.Equal(StorageErrorCode.LimitExceeded, refused.Error.Code);
    }

    [Theory]
    [InlineData(40)]
    [InlineData(80)]
    [InlineData(120)]
    public void A_table_fits_its_terminal_and_keeps_what_is_short_whole(int width)
    {
        var lines = Write(width);
        Assert.All(lines, line => Assert.InRange(line.Length, 1, width));
        Assert.StartsWith("abcdefabcdef  ", lines[1], StringComparison.Ordinal);
        Assert.Contains("1.2 MB", lines[1], StringComparison.Ordinal);
        Assert.Equal(width < 80, lines[1].Contains('…', StringComparison.Ordinal));
    }

    [Fact]
    public void A_table_that_goes_to_a_program_is_not_cut() =>
        Assert.Contains("registry.example/team/application:2025-02-03  1.2 MB", Write(int.MaxValue)[1], StringComparison.Ordinal);

    [Fact]
    public void A_chain_of_layers_stays_at_the_margin_and_siblings_branch()
    {
        var lines = new List<string>();
        LayerTree.Write(
            [Layer("a"), Layer("b", "a"), Layer("c", "b"), Layer("d", "c"), Layer("e", "c"), Layer("f", "d"), Layer("z")], static layer => layer.Id.Value, lines.Add);
        Assert.Equal(["a0", "└ b0", "└ c0", "├─ d0", "│  └ f0", "└─ e0", "z0"], lines);
    }

    [Fact]
    public void A_tree_of_a_thousand_layers_does_not_take_the_stack()
    {
        var count = 0;
        var layers = Enumerable.Range(0, 5000).Select(static i => Layer($"l{i}-", i == 0 ? null : $"l{i - 1}-")).ToArray();
        LayerTree.Write(layers, static layer => layer.Id.Value, _ => count++);
        Assert.Equal(5000, count);
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1.0 kB")]
    [InlineData(999_949, "999.9 kB")]
    [InlineData(999_950, "1.0 MB")]
    [InlineData(12_345_678_901, "12.3 GB")]
    public void Sizes_are_decimal(long bytes, string expected) => Assert.Equal(expected, Human.Size(bytes));

    [Theory]
    [InlineData(0, "just now")]
    [InlineData(1, "1 second ago")]
    [InlineData(59, "59 seconds ago")]
    [InlineData(3600, "1 hour ago")]
    [InlineData(7 * 86400, "7 days ago")]
    [InlineData(90 * 86400, "2024-10-03")]
    public void Ages_are_in_their_largest_unit(int seconds, string expected)
    {
        var now = new DateTimeOffset(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);
        Assert.Equal(expected, Human.Age(now.AddSeconds(-seconds), now));
    }

    [Theory]
    [InlineData("layer x is in use. Unmount it.", null, "storage-actors: rm: layer x is in use. Unmount it.")]
    [InlineData("cannot write /x: no space left", "ENOSPC", "storage-actors: rm: cannot write /x: no space left (ENOSPC).")]
    [InlineData("cannot write /x: full. Free space.", "ENOSPC", "storage-actors: rm: cannot write /x: full (ENOSPC). Free space.")]
    [InlineData("open \"/x\": ENOENT (No such file or directory)", "ENOENT", "storage-actors: rm: open \"/x\": No such file or directory (ENOENT).")]
    [InlineData("mount /x: EINVAL (Invalid argument): overlay: bad. Look.", "EINVAL", "storage-actors: rm: mount /x: Invalid argument (EINVAL): overlay: bad. Look.")]
    [InlineData("two\nlines", null, "storage-actors: rm: two lines.")]
    [InlineData("", null, "storage-actors: rm: failed.")]
    public void A_failure_is_one_line_with_its_errno(string message, string? errno, string expected) =>
        Assert.Equal(expected, Failure.Line("rm", new StorageError(StorageErrorCode.Io, "x", message, Errno: errno)));

    [Fact]
    public void Failures_of_every_sort_become_refusals()
    {
        Assert.Equal("ENOSPC", Failure.Of(new LinuxException("write", "/x", Errno.ENOSPC)).Errno);
        Assert.Equal("ENOENT", Failure.Of(new FileNotFoundException("no such file")).Errno);
        Assert.Equal("EACCES", Failure.Of(new UnauthorizedAccessException("denied")).Errno);
        Assert.Equal(StorageErrorCode.InvalidArgument, Failure.Of(new FormatException("bad")).Code);
        Assert.Equal(StorageErrorCode.Internal, Failure.Of(new InvalidOperationException("bug")).Code);
        Assert.Equal(StorageErrorCode.Busy, Failure.Of(new AggregateException(new StorageException(new StorageError(StorageErrorCode.Busy, "x", "y")))).Code);
    }

    [Theory]
    [InlineData(StorageErrorCode.NotFound, 3)]
    [InlineData(StorageErrorCode.AlreadyExists, 4)]
    [InlineData(StorageErrorCode.InUse, 4)]
    [InlineData(StorageErrorCode.BadInput, 5)]
    [InlineData(StorageErrorCode.DigestMismatch, 5)]
    [InlineData(StorageErrorCode.LimitExceeded, 5)]
    [InlineData(StorageErrorCode.Damaged, 6)]
    [InlineData(StorageErrorCode.UnknownFormat, 6)]
    [InlineData(StorageErrorCode.InvalidArgument, 2)]
    [InlineData(StorageErrorCode.NoSpace, 1)]
    [InlineData(StorageErrorCode.Internal, 1)]
    public void Each_kind_of_refusal_has_its_exit_code(StorageErrorCode code, int exit) => Assert.Equal(exit, ExitCode.Of(code));

    private static string[] Write(int width)
    {
        var table = new Table(("LAYER", ColumnKind.Text), ("NAMES", ColumnKind.Elastic), ("SIZE", ColumnKind.Number), ("KIND", ColumnKind.Text));
        table.Add("abcdefabcdef", "registry.example/team/application:2025-02-03", Human.Size(1_234_567), "sealed");
        table.Add("box", "-", "-", "writable");
        var text = new StringWriter { NewLine = "\n" };
        table.WriteTo(text, width);
        return text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static LayerRecord Layer(string id, string? parent = null) => new(
        LayerId.Parse(id + "0"), parent is null ? null : LayerId.Parse(parent + "0"), LayerKind.Sealed, [], new Dictionary<string, string>(), DateTimeOffset.UnixEpoch);
}
