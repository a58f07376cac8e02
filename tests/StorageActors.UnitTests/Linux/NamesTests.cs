using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Linux;

/// <summary>The calls that make, find, move and remove names, on a real directory.</summary>
public sealed class NamesTests : IDisposable
{
    private readonly TempDirectory _temp = new();

    public void Dispose() => _temp.Dispose();

    /// <summary>Latin-1 "ä", a newline and a lone continuation byte: legal for the kernel, no UTF-8.</summary>
    private static ReadOnlySpan<byte> Odd => [0xE4, 0x0A, (byte)'x', 0x80];

    [Fact]
    public void A_name_that_is_no_UTF8_comes_back_byte_for_byte()
    {
        Libc.MkdirAt(_temp.Handle, Odd, 0x1ED);
        using var reader = new DirectoryReader(Libc.OpenDirectory(_temp.Path));
        Assert.True(reader.TryRead(out var entry));
        Assert.Equal(Odd, entry.Name);
        Assert.Equal(FileType.Directory, entry.Type);
        Assert.Equal(Libc.FStatAt(_temp.Handle, Odd).Inode, entry.Inode);
        Assert.False(reader.TryRead(out _));
    }

    [Fact]
    public void A_failure_names_the_whole_path_the_flags_and_the_errno()
    {
        using var file = Libc.OpenAt(_temp.Handle, "a\\b"u8, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, 0x1A4);
        var error = Assert.Throws<LinuxException>(() =>
            Libc.OpenAt(_temp.Handle, "a\\b"u8, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, 0x1A4));
        Assert.Equal($"openat \"{_temp.Path}/a\\x5cb\" (O_WRONLY|O_CREAT|O_EXCL): EEXIST (File exists)", error.Message);
        Assert.Equal(Errno.EEXIST, error.Errno);
    }

    [Fact]
    public void A_name_with_a_NUL_is_refused_before_the_kernel_sees_its_first_half()
    {
        Assert.Equal(Errno.EINVAL, Libc.TryMkdirAt(_temp.Handle, "a\0b"u8, 0x1ED));
        Assert.Equal(Errno.ENOENT, Libc.TryFStatAt(_temp.Handle, "a"u8, out _));
    }

    [Fact]
    public void A_path_longer_than_the_kernel_takes_is_refused()
    {
        var path = new byte[4096];
        Array.Fill(path, (byte)'a');
        Assert.Equal(Errno.ENAMETOOLONG, Libc.TryMkdirAt(_temp.Handle, path, 0x1ED));
        Assert.Equal(Errno.ENAMETOOLONG, Libc.TryOpen(new string('a', 4096), OpenFlags.ReadOnly, 0, out _));
    }
}
