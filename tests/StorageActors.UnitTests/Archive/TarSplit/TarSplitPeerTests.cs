using System.IO.Compression;
using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.TarSplit;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Archive.TarSplit;

/// <summary>Against the tool of the project that made the format: what we write it assembles, what it writes we assemble.</summary>
public sealed class TarSplitPeerTests
{
    private const string Tree = """
        mkdir -p tree/dir && printf hello > tree/dir/file && : > tree/empty && head -c 70000 /dev/zero | tr '\0' z > tree/big
        ln tree/dir/file tree/link && ln -s dir/file tree/symlink && printf esc > tree/$'<a>&"b\\c\tnew\nline' && printf raw > tree/$'\xff'
        d=$(printf '%0100d' 1) && mkdir -p tree/$d/$d && printf long > tree/$d/$d/file
        """;

    [SkippableTheory]
    [InlineData("--format=gnu")]
    [InlineData("--format=posix")]
    [InlineData("--format=gnu --blocking-factor=200")]
    public void The_record_of_an_ordinary_archive_is_the_same_text(string options)
    {
        using var shop = Shop();
        shop.Run($"{Tree}\ntar {options} --sort=name -cf in.tar tree && tar-split disasm --no-stdout --output theirs.gz in.tar");
        using var run = Save(shop);
        Assert.Equal(LinesToTheEndMarker(File.ReadAllBytes(shop.File("theirs.gz"))), LinesToTheEndMarker(run.Record));
        using var files = new DirectoryFiles(shop.Root);
        using var theirs = File.OpenRead(shop.File("theirs.gz"));
        TarSplitAssembler.Assemble(theirs, files, Stream.Null, Digest.Of(run.Archive));
    }

    [SkippableFact]
    public void Archives_that_the_peer_cannot_record_it_can_assemble_from_our_record()
    {
        using var shop = Shop();
        // A name twice with two contents, a directory twice, a sparse file, and something behind the end.
        shop.Run($$"""
            {{Tree}}
            truncate -s 1000000 tree/hole && printf data | dd of=tree/hole bs=1 seek=500000 conv=notrunc status=none && sync tree/hole
            printf old > tree/empty && tar -S --format=gnu --sort=name -cf in.tar tree
            printf new > tree/empty && tar --format=gnu -rf in.tar tree/empty tree/dir && head -c 100000 /dev/urandom >> in.tar
            mkdir to && tar -C to -xf in.tar
            """);
        using var run = Save(shop);
        Assert.Equal(run.Archive, run.Assemble());
        shop.Run("tar-split asm --path to --input ours.gz --output out.tar && cmp in.tar out.tar");
    }

    [SkippableFact]
    public void The_peer_assembles_our_record_of_an_ordinary_archive()
    {
        using var shop = Shop();
        shop.Run($"{Tree}\ntar --format=posix -cf in.tar tree");
        using var run = Save(shop);
        shop.Run("tar-split asm --path . --input ours.gz --output out.tar && cmp in.tar out.tar");
    }

    private static Workshop Shop()
    {
        Tools.Require("tar-split");
        return new Workshop();
    }

    private static ArchiveRun Save(Workshop shop)
    {
        var run = new ArchiveRun(File.ReadAllBytes(shop.File("in.tar")));
        File.WriteAllBytes(shop.File("ours.gz"), run.Record);
        return run;
    }

    /// <summary>What follows the end marker the peer cuts as its reads happen to come.</summary>
    private static string[] LinesToTheEndMarker(byte[] record)
    {
        using var reader = new StreamReader(new GZipStream(new MemoryStream(record), CompressionMode.Decompress));
        var lines = reader.ReadToEnd().Split('\n');
        return lines[..(Array.FindLastIndex(lines, line => line.StartsWith("{\"type\":1", StringComparison.Ordinal)) + 2)];
    }

    private sealed class DirectoryFiles(string root) : IPayloadSource, IDisposable
    {
        private readonly SafeFileHandle _root = Libc.OpenDirectory(root);

        public SafeFileHandle Open(ReadOnlySpan<byte> name) => Libc.OpenAt(_root, name, OpenFlags.ReadOnly);

        public void Dispose() => _root.Dispose();
    }
}
