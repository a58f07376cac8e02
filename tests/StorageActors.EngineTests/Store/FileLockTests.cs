using System.Diagnostics;
using StorageActors.EngineTests.Support;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Store;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EngineTests.Store;

public sealed class FileLockTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    private string File => _directory["some.lock"];

    [Fact]
    public void Somebody_else_cannot_take_what_is_held_and_can_when_it_is_given_back()
    {
        Assert.Equal(LockAttempt.Taken, FileLock.TryTake(File, create: true, out var first));
        Assert.Equal(LockAttempt.Held, FileLock.TryTake(File, create: true, out var second));
        Assert.Null(second);
        first!.Dispose();
        Assert.Equal(LockAttempt.Taken, FileLock.TryTake(File, create: false, out var third));
        third!.Dispose();
    }

    [Fact]
    public void A_missing_file_is_an_answer_for_who_does_not_create_it()
    {
        Assert.Equal(LockAttempt.Missing, FileLock.TryTake(File, create: false, out var taken));
        Assert.Null(taken);
        Assert.False(System.IO.File.Exists(File));
    }

    [Fact]
    public async Task Who_waited_for_a_file_that_was_deleted_meanwhile_locks_the_one_that_is_there_now()
    {
        FileLock.TryTake(File, create: true, out var first);
        var inode = Libc.FStat(first!.File).Inode;
        var waiting = Task.Run(() => FileLock.Take(File));
        Assert.True(SpinWait.SpinUntil(() => IsWaitedFor(inode), Patient.Limit));
        System.IO.File.Delete(File);
        first.Dispose(); // The waiter gets a lock on the deleted file, and must not be content with it.
        using var third = await waiting.WaitAsync(Patient.Limit);
        Assert.True(FileLock.Names(File, third.File));
    }

    [SkippableFact]
    public async Task Another_process_is_kept_out_by_its_record_lock()
    {
        RequiredTiers.SkipUnless(System.IO.File.Exists("/usr/bin/python3"), "python3", "takes the lock from another program");
        using var held = FileLock.Take(File);
        const string script = "import fcntl,sys\nf=open(sys.argv[1],'r+')\ntry:\n fcntl.lockf(f,fcntl.LOCK_EX|fcntl.LOCK_NB); print('taken')\nexcept OSError: print('refused')";
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", script, File]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        Assert.Equal("refused", (await process.StandardOutput.ReadToEndAsync()).Trim());
    }

    [Fact]
    public void The_second_owner_of_a_store_is_told_who_the_first_is()
    {
        using var first = OwnerLock.Take(_directory.Path, "/run/some.sock");
        var refusal = Assert.Throws<StorageException>(() => OwnerLock.Take(_directory.Path, null));
        Assert.Equal(StorageErrorCode.InUse, refusal.Error.Code);
        Assert.Contains($"owned by process {Environment.ProcessId} (socket /run/some.sock)", refusal.Message, StringComparison.Ordinal);
        Assert.Equal((Environment.ProcessId, "/run/some.sock"), (OwnerLock.Find(_directory.Path)!.Pid, OwnerLock.Find(_directory.Path)!.Socket));
    }

    [Fact]
    public void A_store_whose_owner_has_gone_has_none_whatever_its_file_says()
    {
        OwnerLock.Take(_directory.Path, "/run/some.sock").Dispose();
        Assert.Null(OwnerLock.Find(_directory.Path));
        using var next = OwnerLock.Take(_directory.Path, null);
        Assert.Null(OwnerLock.Find(_directory.Path)!.Socket);
    }

    [Fact]
    public async Task Sections_under_the_file_lock_never_overlap_and_are_measured()
    {
        using var store = new TestStore();
        using var other = new StoreLock(store.Layout.StoreLock, store.Metrics, TimeProvider.System); // As another process would have it.
        var (inside, overlaps) = (0, 0);
        void Section()
        {
            if (Interlocked.Increment(ref inside) != 1) Interlocked.Increment(ref overlaps);
            Thread.Yield();
            Interlocked.Decrement(ref inside);
        }

        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(() =>
        {
            for (var round = 0; round < 200; round++) (worker % 2 == 0 ? store.Services.Lock : other).Under("test", Section);
        })));
        Assert.Equal(0, overlaps);
        var held = store.Metrics.Latencies().Single(static latency => latency is { Name: "store", Operation: "test", Measure: "hold" });
        Assert.Equal(800, held.Count);
        Assert.True(held.P99Seconds >= held.MedianSeconds && held.LongestSeconds >= held.P99Seconds);
    }

    [Fact]
    public void A_section_that_throws_gives_the_lock_back()
    {
        using var store = new TestStore();
        Assert.Throws<InvalidOperationException>(() => store.Services.Lock.Under("test", static () => throw new InvalidOperationException()));
        using var other = new StoreLock(store.Layout.StoreLock, store.Metrics, TimeProvider.System);
        Assert.Equal(1, other.Under("test", static () => 1));
    }

    [Fact]
    public void A_lock_file_that_was_replaced_is_locked_anew()
    {
        using var store = new TestStore();
        store.Services.Lock.Under("test", static () => { });
        System.IO.File.Delete(store.Layout.StoreLock);
        using var other = new StoreLock(store.Layout.StoreLock, store.Metrics, TimeProvider.System);
        store.Services.Lock.Under("test", () => Assert.Equal(LockAttempt.Held, FileLock.TryTake(store.Layout.StoreLock, create: false, out _)));
    }

    public void Dispose() => _directory.Dispose();

    private static bool IsWaitedFor(ulong inode) => System.IO.File.ReadLines("/proc/locks")
        .Any(line => line.Contains("->", StringComparison.Ordinal) && line.Contains($":{inode} ", StringComparison.Ordinal));
}
