using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Compression;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Archive.Compression;

/// <summary>A file as a stream whose errors are those of the system calls.</summary>
public sealed class DescriptorStreamTests : IDisposable
{
    private readonly TempDirectory _home = new();
    private readonly SafeFileHandle _directory;

    public DescriptorStreamTests() => _directory = Libc.OpenDirectory(_home.Path);

    public void Dispose()
    {
        _directory.Dispose();
        _home.Dispose();
    }

    [Fact]
    public void What_was_written_is_there_at_once_and_is_read_from_anywhere()
    {
        using var stream = new DescriptorStream(Open(OpenFlags.ReadWrite | OpenFlags.Create));
        stream.Write("0123456789"u8);
        Assert.Equal("0123456789", File.ReadAllText(_home["file"]));
        Assert.Equal((10L, 10L), (stream.Position, stream.Length));

        var piece = new byte[4];
        Assert.Equal(3, stream.Seek(-7, SeekOrigin.End));
        Assert.Equal(4, stream.Read(piece, 0, 4));
        Assert.Equal("3456"u8.ToArray(), piece);
        Assert.Equal(5, stream.Seek(-2, SeekOrigin.Current));
        stream.Write("ab"u8);
        stream.SetLength(8);
        stream.Position = 0;
        using var all = new MemoryStream();
        stream.CopyTo(all);
        Assert.Equal("01234ab7"u8.ToArray(), all.ToArray());
        Assert.Equal(0, stream.Read(piece));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Position = -1);
    }

    [Fact]
    public void A_failure_names_the_call_the_path_and_the_errno()
    {
        File.WriteAllText(_home["file"], "");
        using var stream = new DescriptorStream(Open(OpenFlags.ReadOnly));
        var failure = Assert.Throws<LinuxException>(() => stream.Write("x"u8));
        Assert.Equal(("pwrite", _home["file"], Errno.EBADF), (failure.Operation, failure.Path, failure.Errno));
    }

    [Fact]
    public void The_descriptor_is_closed_with_the_stream()
    {
        var file = Open(OpenFlags.WriteOnly | OpenFlags.Create);
        new DescriptorStream(file).Dispose();
        Assert.True(file.IsClosed);
    }

    private SafeFileHandle Open(OpenFlags flags) => Libc.OpenAt(_directory, "file"u8, flags, 0x180);
}
