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

    [Fact]
    public void A_name_that_is_taken_is_an_answer_for_every_call_that_makes_one()
    {
        Libc.MkdirAt(_temp.Handle, "taken"u8, 0x1ED);
        Assert.Equal(Errno.EEXIST, Libc.TryMkdirAt(_temp.Handle, "taken"u8, 0x1ED));
        Assert.Equal(Errno.EEXIST, Libc.TryMknodAt(_temp.Handle, "taken"u8, FileType.Fifo, 0x180));
        Assert.Equal(Errno.EEXIST, Libc.TrySymlinkAt("x"u8, _temp.Handle, "taken"u8));
        Libc.MknodAt(_temp.Handle, "file"u8, FileType.Regular, 0x180);
        Assert.Equal(Errno.EEXIST, Libc.TryLinkAt(_temp.Handle, "file"u8, _temp.Handle, "taken"u8));
        Assert.Equal(Errno.EEXIST, Libc.TryRenameAt2(_temp.Handle, "file"u8, _temp.Handle, "taken"u8, RenameFlags.NoReplace));
        Assert.Equal(Errno.EISDIR, Libc.TryUnlinkAt(_temp.Handle, "taken"u8));
        Assert.Equal(Errno.ENOENT, Libc.TryUnlinkAt(_temp.Handle, "missing"u8));
    }

    [Fact]
    public void A_link_holds_its_target_byte_for_byte_and_is_not_followed()
    {
        Libc.SymlinkAt(Odd, _temp.Handle, "link"u8);
        Assert.Equal(Odd.ToArray(), Libc.ReadlinkAt(_temp.Handle, "link"u8));
        Assert.Equal(FileType.SymbolicLink, Libc.FStatAt(_temp.Handle, "link"u8).Type);
        Assert.Equal(Errno.ENOENT, Libc.TryFStatAt(_temp.Handle, "link"u8, out _, AtFlags.None));
        Libc.LinkAt(_temp.Handle, "link"u8, _temp.Handle, "other"u8);
        Assert.True(Libc.FStatAt(_temp.Handle, "link"u8).IsSameFile(Libc.FStatAt(_temp.Handle, "other"u8)));
    }

    [Fact]
    public void A_file_without_a_name_gets_one_by_its_descriptor()
    {
        using var file = Libc.OpenAt(_temp.Handle, "."u8, OpenFlags.TemporaryFile | OpenFlags.ReadWrite, 0x180);
        Libc.WriteAll(file, "content"u8);
        Libc.LinkAt(file, _temp.Handle, "named"u8);
        Assert.Equal("content"u8.ToArray(), AtomicFile.Read(_temp.Handle, "named"u8));
    }

    [Fact]
    public void Exchange_swaps_two_names_in_one_step()
    {
        Libc.MkdirAt(_temp.Handle, "a"u8, 0x1ED);
        Libc.MknodAt(_temp.Handle, "b"u8, FileType.Regular, 0x180);
        Libc.RenameAt2(_temp.Handle, "a"u8, _temp.Handle, "b"u8, RenameFlags.Exchange);
        Assert.True(Libc.FStatAt(_temp.Handle, "a"u8).IsRegular);
        Assert.True(Libc.FStatAt(_temp.Handle, "b"u8).IsDirectory);
        var error = Assert.Throws<LinuxException>(() => Libc.RenameAt2(_temp.Handle, "a"u8, _temp.Handle, "b"u8, RenameFlags.NoReplace));
        Assert.Equal($"renameat2 \"{_temp.Path}/a\" -> \"{_temp.Path}/b\" (RENAME_NOREPLACE): EEXIST (File exists)", error.Message);
    }

    [Fact]
    public void A_directory_of_many_names_is_read_once_each_and_again_after_a_rewind()
    {
        for (var index = 0; index < 5000; index++)
        {
            Libc.MknodAt(_temp.Handle, System.Text.Encoding.ASCII.GetBytes($"a-name-of-some-length-{index}"), FileType.Regular, 0x180);
        }
        using var directory = Libc.OpenDirectory(_temp.Path);
        using var reader = new DirectoryReader(directory);
        for (var pass = 0; pass < 2; pass++)
        {
            var names = new HashSet<string>();
            while (reader.TryRead(out var entry)) Assert.True(names.Add(PathText.Escape(entry.Name)));
            Assert.Equal(5000, names.Count);
            reader.Rewind();
        }
    }

    [Theory]
    [InlineData("plain text")]
    [InlineData("ümläut/日本")]
    public void Text_is_shown_as_it_is(string name) => Assert.Equal(name, PathText.Escape(System.Text.Encoding.UTF8.GetBytes(name)));

    [Fact]
    public void Bytes_that_are_no_text_are_shown_escaped_and_unmistakable() =>
        Assert.Equal(@"a\xe4\x0a\x5cx", PathText.Escape([(byte)'a', 0xE4, 0x0A, (byte)'\\', (byte)'x']));
}
