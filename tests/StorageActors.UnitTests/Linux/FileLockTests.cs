using System.Diagnostics;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Linux;

/// <summary>Open-file-description locks: between descriptors, between processes, and against the older kinds.</summary>
public sealed class FileLockTests : IDisposable
{
    private readonly TempDirectory _temp = new();

    public FileLockTests() => Libc.MknodAt(_temp.Handle, "lock"u8, FileType.Regular, 0x180);

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void Two_open_files_exclude_each_other_and_closing_frees()
    {
        using var first = Open();
        using var second = Open();
        Assert.True(Libc.TryLockWhole(first, exclusive: true));
        Assert.False(Libc.TryLockWhole(second, exclusive: true));
        Assert.False(Libc.TryLockWhole(second, exclusive: false));
        Assert.Equal(new LockHolder(Exclusive: true, Pid: null), Libc.FindLockHolder(second));
        Assert.Null(Libc.FindLockHolder(first));
        first.Dispose();
        // A program that another test starts at this moment has our descriptors until it has begun to be that program.
        Assert.True(SpinWait.SpinUntil(() => Libc.FindLockHolder(second) is null, TimeSpan.FromMinutes(2)));
        Assert.True(Libc.TryLockWhole(second, exclusive: true));
    }

    [Fact]
    public void Readers_share_and_a_writer_waits_for_all_of_them()
    {
        using var first = Open();
        using var second = Open();
        using var writer = Open();
        Assert.True(Libc.TryLockWhole(first, exclusive: false));
        Assert.True(Libc.TryLockWhole(second, exclusive: false));
        Assert.False(Libc.TryLockWhole(writer, exclusive: true));
        Libc.UnlockWhole(first);
        Assert.False(Libc.TryLockWhole(writer, exclusive: true));
        Libc.UnlockWhole(second);
        Assert.True(Libc.TryLockWhole(writer, exclusive: true));
    }

    [Fact]
    public void Waiting_ends_when_the_holder_unlocks()
    {
        using var holder = Open();
        using var waiter = Open();
        Assert.True(Libc.TryLockWhole(holder, exclusive: true));
        var thread = new Thread(() => Libc.LockWhole(waiter, exclusive: true));
        thread.Start();
        Assert.Equal(new LockHolder(Exclusive: true, Pid: null), Libc.FindLockHolder(waiter));
        Libc.UnlockWhole(holder);
        thread.Join();
        Assert.False(Libc.TryLockWhole(holder, exclusive: true));
    }

    [Fact]
    public void A_record_lock_of_the_older_kind_is_in_the_way_and_names_its_process()
    {
        using var other = new FileStream(_temp["lock"], FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        if (!OperatingSystem.IsLinux()) return;
        other.Lock(0, 0);   // fcntl(F_SETLK), as podman takes its locks
        using var ours = Open();
        Assert.False(Libc.TryLockWhole(ours, exclusive: true));
        Assert.Equal(new LockHolder(Exclusive: true, Environment.ProcessId), Libc.FindLockHolder(ours));
    }

    [SkippableFact]
    public void A_lock_of_another_process_is_seen_until_that_process_dies()
    {
        const string source = """
            #define _GNU_SOURCE
            #include <fcntl.h>
            #include <unistd.h>
            int main(int count, char **names)
            {
                struct flock lock = { .l_type = F_WRLCK };
                int file = open(names[1], O_RDWR);
                if (fcntl(file, F_OFD_SETLK, &lock)) return 1;
                write(1, "locked\n", 7);
                pause();
            }
            """;
        var compiler = Tools.Require("cc");
        File.WriteAllText(_temp["holder.c"], source);
        Command.Run(compiler, "-w", "-o", _temp["holder"], _temp["holder.c"]);

        using var ours = Open();
        using (var holder = Process.Start(new ProcessStartInfo(_temp["holder"], _temp["lock"]) { RedirectStandardOutput = true, UseShellExecute = false })!)
        {
            Assert.Equal("locked", holder.StandardOutput.ReadLine());
            Assert.False(Libc.TryLockWhole(ours, exclusive: true));
            holder.Kill();
            holder.WaitForExit();
        }
        Assert.True(Libc.TryLockWhole(ours, exclusive: true));
    }

    [Fact]
    public void Flock_is_a_lock_of_its_own()
    {
        using var first = Open();
        using var second = Open();
        Assert.True(Libc.TryFlock(first, exclusive: true));
        Assert.False(Libc.TryFlock(second, exclusive: false));
        Assert.True(Libc.TryLockWhole(second, exclusive: true));
        Libc.UnFlock(first);
        Assert.True(Libc.TryFlock(second, exclusive: true));
    }

    private Microsoft.Win32.SafeHandles.SafeFileHandle Open() => Libc.OpenAt(_temp.Handle, "lock"u8, OpenFlags.ReadWrite);
}
