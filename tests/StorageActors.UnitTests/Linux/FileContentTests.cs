using System.Text;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Linux;

/// <summary>Reading, writing, holes, copies in the kernel, and atomic replacement.</summary>
public sealed class FileContentTests : IDisposable
{
    private const OpenFlags New = OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive;
    private readonly TempDirectory _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void What_is_written_is_read_at_positions_and_at_offsets()
    {
        using var file = Libc.OpenAt(_temp.Handle, "file"u8, New, 0x180);
        Libc.WriteAll(file, "0123456789"u8);
        Libc.PWriteAll(file, "xy"u8, 4);
        var buffer = new byte[20];
        Assert.Equal(0, Libc.Read(file, buffer));
        Assert.Equal(3, Libc.PRead(file, buffer.AsSpan(0, 3), 3));
        Assert.Equal("3xy"u8.ToArray(), buffer[..3]);
        Assert.Equal(2, Libc.LSeek(file, 2, SeekFrom.Start));
        Assert.Equal(8, Libc.ReadFully(file, buffer));
        Assert.Equal("23xy6789"u8.ToArray(), buffer[..8]);
    }

    [Fact]
    public void A_pipe_of_any_size_is_written_and_read_whole()
    {
        var (read, write) = Libc.Pipe2();
        var sent = new byte[300_000];   // more than a pipe holds, so that writes are short or wait
        Random.Shared.NextBytes(sent);
        var writer = new Thread(() =>
        {
            using (write) Libc.WriteAll(write, sent);
        });
        writer.Start();
        var received = new byte[sent.Length + 1];
        using (read) Assert.Equal(sent.Length, Libc.ReadFully(read, received));
        writer.Join();
        Assert.Equal(sent, received[..sent.Length]);
    }

    [Fact]
    public void Holes_are_found()
    {
        using var file = Libc.OpenAt(_temp.Handle, "file"u8, New, 0x180);
        Libc.FTruncate(file, 1 << 20);
        Libc.PWriteAll(file, new byte[] { 1 }, 512 * 1024);
        Assert.Equal(Errno.None, Libc.TryLSeek(file, 0, SeekFrom.Data, out var data));
        Assert.Equal(512 * 1024, data);
        Assert.Equal(Errno.None, Libc.TryLSeek(file, data, SeekFrom.Hole, out var hole));
        Assert.InRange(hole, data + 1, 1 << 20);
        Assert.Equal(Errno.ENXIO, Libc.TryLSeek(file, hole, SeekFrom.Data, out _));
        Assert.Equal(Errno.None, Libc.TryFAllocate(file, AllocationFlags.PunchHole | AllocationFlags.KeepSize, 0, 1 << 20));
        Assert.Equal((1 << 20, 0L), (Libc.FStat(file).Size, Libc.FStat(file).Blocks));
    }

    [Fact]
    public void Copying_in_the_kernel_ends_with_0_at_the_end()
    {
        using var source = Libc.OpenAt(_temp.Handle, "source"u8, New, 0x180);
        using var target = Libc.OpenAt(_temp.Handle, "target"u8, New, 0x180);
        Libc.WriteAll(source, "0123456789"u8);
        var copied = 0L;
        for (long step = -1; step != 0; copied += step)
        {
            Assert.Equal(Errno.None, Libc.TryCopyFileRange(source, 2 + copied, target, copied, 1000, out step));
        }
        Assert.Equal("23456789"u8.ToArray(), AtomicFile.Read(_temp.Handle, "target"u8));
        Assert.Equal(8, copied);
        Assert.Equal(Errno.EISDIR, Libc.TryCopyFileRange(_temp.Handle, 0, target, 0, 1, out _));
    }

    [SkippableTheory]
    [InlineData(FileSystemKind.Ext4, Errno.EOPNOTSUPP)]
    [InlineData(FileSystemKind.Xfs, Errno.None)]
    [InlineData(FileSystemKind.Btrfs, Errno.None)]
    public void A_clone_shares_blocks_where_the_file_system_can(FileSystemKind kind, Errno expected)
    {
        using var temp = LoopFileSystem.Shared(kind).NewDirectory();
        using var source = Libc.OpenAt(temp.Handle, "source"u8, New, 0x180);
        using var target = Libc.OpenAt(temp.Handle, "target"u8, New, 0x180);
        Libc.WriteAll(source, new byte[100_000]);
        Assert.Equal(expected, Libc.TryClone(target, source));
        Assert.Equal(expected == Errno.None ? 100_000 : 0, Libc.FStat(target).Size);
    }

    [Fact]
    public void Syncing_works_on_files_directories_and_whole_file_systems()
    {
        using var file = Libc.OpenAt(_temp.Handle, "file"u8, New, 0x180);
        Libc.WriteAll(file, new byte[10_000]);
        Assert.Equal(Errno.None, Libc.TrySyncFileRange(file, 0, 0, SyncRangeFlags.Write));
        Libc.FDataSync(file);
        Libc.FSync(file);
        Libc.FSync(_temp.Handle);
        using var path = Libc.OpenAt(_temp.Handle, "file"u8, OpenFlags.Path);
        var error = Assert.Throws<LinuxException>(() => Libc.SyncFs(path));
        Assert.Equal($"syncfs \"{_temp.Path}/file\": EBADF (Bad file descriptor)", error.Message);
    }

    [Fact]
    public void Replacing_leaves_the_new_content_its_mode_and_no_other_file()
    {
        AtomicFile.Replace(_temp.Handle, "record"u8, "first"u8);
        AtomicFile.Replace(_temp.Handle, "record"u8, "second"u8, 0x1A4);
        Assert.Equal("second"u8.ToArray(), AtomicFile.Read(_temp.Handle, "record"u8));
        Assert.Equal(0x1A4u, Libc.FStatAt(_temp.Handle, "record"u8).Permissions);
        Assert.Equal(2, TreeSnapshot.Capture(_temp.Path).Lines.Count);
    }

    [Fact]
    public void What_a_crash_leaves_of_a_replacement_is_known_by_its_name()
    {
        string[] left = [], others = ["record", ".record.0123456.tmp", ".record.0123456x.tmp", ".records.01234567.tmp", ".record.01234567.tmp2"];
        var longName = Encoding.ASCII.GetBytes(new string('x', 255));
        AtomicFile.Replace(_temp.Handle, "record"u8, "1"u8, written: () => left = Directory.GetFiles(_temp.Path));
        AtomicFile.Replace(_temp.Handle, longName, "1"u8, written: () => left = [.. left, .. Directory.GetFiles(_temp.Path, ".xx*")]);
        foreach (var name in left.Concat(others.Select(name => Path.Combine(_temp.Path, name)))) File.WriteAllText(name, "1");
        Assert.Equal(2, left.Length);

        AtomicFile.RemoveTemporaries(_temp.Handle, "record"u8);
        AtomicFile.RemoveTemporaries(_temp.Handle, longName);

        Assert.Equal([.. others.Append(new string('x', 255)).Order(StringComparer.Ordinal)], Directory.GetFiles(_temp.Path).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(0x180u)]
    [InlineData(0x1B6u)]
    public void A_replacement_without_a_mode_has_that_of_the_file_that_was_there(uint mode)
    {
        AtomicFile.Replace(_temp.Handle, "file"u8, "first"u8, mode);
        AtomicFile.Replace(_temp.Handle, "file"u8, "second"u8, mode: null);
        Assert.Equal(mode, Libc.FStatAt(_temp.Handle, "file"u8).Permissions);
        Assert.Equal("second"u8.ToArray(), AtomicFile.Read(_temp.Handle, "file"u8));
    }

    [SkippableFact]
    public void A_replacement_without_a_mode_has_the_owner_of_the_file_that_was_there()
    {
        RequiredTiers.SkipUnlessRoot();
        AtomicFile.Replace(_temp.Handle, "file"u8, "first"u8);
        Libc.FChownAt(_temp.Handle, "file"u8, 1234, 1235);
        AtomicFile.Replace(_temp.Handle, "file"u8, "second"u8, mode: null);
        var status = Libc.FStatAt(_temp.Handle, "file"u8);
        Assert.Equal((1234u, 1235u, 0x180u), (status.UserId, status.GroupId, status.Permissions));
    }

    [Fact]
    public void A_replacement_that_fails_leaves_the_old_content_and_no_other_file()
    {
        Libc.MkdirAt(_temp.Handle, "record"u8, 0x1ED);
        Libc.MkdirAt(_temp.Handle, "record/full"u8, 0x1ED);
        Assert.Throws<LinuxException>(() => AtomicFile.Replace(_temp.Handle, "record"u8, "new"u8));
        Assert.Equal(3, TreeSnapshot.Capture(_temp.Path).Lines.Count);
    }

    [Fact]
    public void A_name_of_full_length_can_be_replaced()
    {
        var name = new byte[255];
        Array.Fill(name, (byte)'n');
        AtomicFile.Replace(_temp.Handle, name, "x"u8);
        Assert.Equal("x"u8.ToArray(), AtomicFile.Read(_temp.Handle, name));
    }

    [Fact]
    public void Reading_a_small_file_tells_missing_from_too_big_and_from_what_is_no_file()
    {
        Assert.Null(AtomicFile.Read(_temp.Handle, "missing"u8));
        AtomicFile.Replace(_temp.Handle, "big"u8, new byte[11]);
        Assert.Equal(Errno.EFBIG, Assert.Throws<LinuxException>(() => AtomicFile.Read(_temp.Handle, "big"u8, limit: 10)).Errno);
        Libc.MknodAt(_temp.Handle, "fifo"u8, FileType.Fifo, 0x180);   // opening one must not wait for a writer
        Assert.Equal(Errno.EINVAL, Assert.Throws<LinuxException>(() => AtomicFile.Read(_temp.Handle, "fifo"u8)).Errno);
    }
}
