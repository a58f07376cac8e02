using System.Diagnostics;
using System.Globalization;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Linux;

/// <summary>What is asked about processes, the boot and the kernel; and the thread that keeps to itself.</summary>
public sealed class ProcessTests
{
    [Fact]
    public void A_process_exists_until_it_ended()
    {
        int pid;
        using (var process = Process.Start(new ProcessStartInfo("sleep", "1000"))!)
        {
            pid = process.Id;
            Assert.True(Libc.ProcessExists(pid));
            Assert.True(ProcFs.StartTime(pid) > ProcFs.StartTime(1));
            process.Kill();
            process.WaitForExit();
        }
        Assert.False(Libc.ProcessExists(pid));
        Assert.Null(ProcFs.StartTime(pid));
        Assert.True(Libc.ProcessExists(1));
        Assert.False(Libc.ProcessExists(0));
        Assert.False(Libc.ProcessExists(-1));
    }

    [Fact]
    public void The_boot_and_the_kernel_have_names()
    {
        Assert.True(Guid.TryParse(ProcFs.BootId(), out _));
        Assert.Equal(ProcFs.BootId(), ProcFs.BootId());
        Assert.Equal(File.ReadAllText("/proc/sys/kernel/osrelease").Trim(), Libc.KernelRelease());
        Assert.True(Libc.KernelVersion() >= new Version(4, 18));
    }

    [Fact]
    public async Task A_thread_has_the_slice_that_it_asks_for_until_it_wants_none()
    {
        var (usual, asked, after) = await Task.Factory.StartNew(
            static () =>
            {
                var before = Slice();
                Assert.True(Libc.TrySetSlice(TimeSpan.FromMilliseconds(20)));
                var during = Slice();
                Assert.True(Libc.TrySetSlice(TimeSpan.Zero));
                return (before, during, Slice());
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        Assert.Equal(usual, after);
        if (usual is not null && Libc.KernelVersion() >= new Version(6, 12)) Assert.Equal("20000000", asked);

        // A kernel built without it says nothing.
        static string? Slice() => !File.Exists("/proc/thread-self/sched") ? null
            : File.ReadLines("/proc/thread-self/sched").FirstOrDefault(static line => line.StartsWith("se.slice", StringComparison.Ordinal))?.Split(':')[1].Trim();
    }

    [Fact]
    public async Task A_thread_that_goes_first_is_as_nice_as_before_when_it_is_done_and_what_it_starts_is_too()
    {
        var (before, may, during, started, after) = await Task.Factory.StartNew(
            static () =>
            {
                var before = Nice();
                var may = Libc.TryGoFirst(out var usual);
                var during = Nice();
                var started = "";
                var child = new Thread(() => started = Nice());
                child.Start();
                child.Join();
                if (may) Libc.GoAsUsual(usual);
                return (before, may, during, started, Nice());
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        Assert.Equal(before, after);
        Assert.Equal(may ? "-20" : before, during);
        if (int.Parse(before, CultureInfo.InvariantCulture) == 0) Assert.Equal(before, started);

        // The 19th field; the second one, a name in parentheses, may have blanks in it.
        static string Nice() => File.ReadAllText("/proc/thread-self/stat").Split(") ")[^1].Split(' ')[16];
    }

    [Fact]
    public void The_limit_of_open_files_is_raised_to_what_is_allowed()
    {
        var (_, hard) = Libc.GetOpenFileLimit();
        Assert.Equal(hard, Libc.RaiseOpenFileLimit());
        Assert.Equal((hard, hard), Libc.GetOpenFileLimit());
    }

    [Fact]
    public async Task Work_given_to_a_private_thread_is_done_in_order_also_after_disposal()
    {
        var thread = new PrivateThread("ordered");
        var seen = new List<int>();
        var last = Task.CompletedTask;
        for (var index = 0; index < 100; index++)
        {
            var number = index;
            last = thread.Run(() => seen.Add(number));
        }
        thread.Dispose();
        await last;
        Assert.Equal(Enumerable.Range(0, 100), seen);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => thread.Run(() => seen.Add(0)));
    }

    [SkippableFact]
    public async Task Threads_that_a_completion_starts_do_not_get_the_private_directory()
    {
        RequiredTiers.SkipUnlessRoot();   // some containers forbid unshare to others
        var before = Environment.CurrentDirectory;
        using var thread = new PrivateThread("elsewhere");
        await thread.Run(() => Libc.ChDir("/"));
        Assert.Equal("/", await thread.Run(() => Environment.CurrentDirectory));
        // More than the pool has threads for: it grows while these complete.
        var seen = await Task.WhenAll(Enumerable.Range(0, 200).Select(async _ =>
        {
            await thread.Run(() => 0);
            return Environment.CurrentDirectory;
        }));
        Assert.All(seen, directory => Assert.Equal(before, directory));
    }

    [Theory]
    [InlineData(@"/a\040b\011c\012d\134e\043", "/a b\tc\nd\\e#")]
    [InlineData("/plain", "/plain")]
    [InlineData(@"/cut\04", @"/cut\04")]
    [InlineData("/ümläut", "/ümläut")]
    public void Escapes_of_the_mount_table_are_undone(string escaped, string expected) => Assert.Equal(expected, MountTable.Unescape(escaped));

    [Fact]
    public void Optional_fields_of_the_mount_table_are_passed_over()
    {
        var entries = MountTable.Parse("""
            22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
            36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext3 /dev/root\040x rw,errors=continue

            """);
        Assert.Equal(2, entries.Count);
        Assert.Equal(new MountEntry(36, 35, new DeviceNumber(98, 0), "/mnt1", "/mnt2", "rw,noatime", "ext3", "/dev/root x", "rw,errors=continue"), entries[1]);
        Assert.Throws<InvalidDataException>(() => MountTable.Parse("36 35 98:0 / /mnt rw"));
    }

    [Theory]
    [InlineData("/a/merged /b\\040c/merged", "1 2 0:3 / /a/merged rw - t s o\n4 5 x:y / /other rw\n6 7 0:8 / /b\\040c/merged rw shared:1 - t s o\n")]
    [InlineData("", "")]
    [InlineData(null, "1 2 0:3 / /a/merged rw - t s o\n4 5 0:6 /\n")]        // too few fields
    [InlineData(null, "1 2 0:3 / /a/merged\n")]
    [InlineData(null, "1 2 0:3 / none/merged rw - t s o\n")]
    [InlineData(null, "\n")]
    [InlineData(null, "1 2 0:3 / /a/merged rw - t s o")]                      // does not end
    [InlineData(null, "1 2 0:3 / /a rw\n1 2 0:3 / /b rw\n1 2 0:3 / /c rw\n1 2 0:3 / /d rw\n")] // more lines than it may have
    public void Mount_points_are_read_alone_unless_the_table_is_none_or_too_large(string? expected, string table)
    {
        using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(table));
        var targets = MountTable.TryReadTargets(stream, "/merged"u8, mostLines: 3, mostBytes: 200);
        Assert.Equal(expected?.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(MountTable.Unescape), targets);

        stream.Position = 0;
        if (table.Length > 0) Assert.Null(MountTable.TryReadTargets(stream, "/merged"u8, mostLines: 3, mostBytes: table.Length - 1));
    }

    [Fact]
    public void Mount_points_of_a_table_that_comes_in_pieces_are_read_whole()
    {
        var lines = string.Concat(Enumerable.Range(0, 3000).Select(static number => $"{number} 2 0:3 / /layers/{number}/merged rw - overlay overlay lowerdir={new string('x', number)}\n"));
        using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(lines));
        Assert.Equal(Enumerable.Range(0, 3000).Select(static number => $"/layers/{number}/merged"), MountTable.TryReadTargets(stream, "/merged"u8, 3000, long.MaxValue));
    }
}
