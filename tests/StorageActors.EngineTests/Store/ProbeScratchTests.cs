using StorageActors.Drivers.Probing;
using StorageActors.EngineTests.Support;
using StorageActors.Linux;
using StorageActors.Store;
using StorageActors.TestSupport;
using StorageActors.Trash;
using Xunit;

namespace StorageActors.EngineTests.Store;

/// <summary>Directories for trying things out, which other processes sweep around.</summary>
public sealed class ProbeScratchTests : IDisposable
{
    private readonly TempDirectory _root = new();

    private string Staging => _root["staging"];

    public void Dispose() => _root.Dispose();

    [Fact]
    public void It_is_locked_as_a_staging_is_while_it_is_used_and_leaves_nothing()
    {
        using (var scratch = new ProbeScratch(_root.Path))
        {
            scratch.Make("a", "a/b");
            Assert.True(Directory.Exists(scratch.Path + "/a/b"));
            Assert.Equal(LockAttempt.Held, FileLock.TryTake(Path.Combine(scratch.Path, StoreLayout.StagingLockName), create: false, out _));
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(Staging));
    }

    [Fact]
    public async Task It_is_there_whoever_sweeps_meanwhile_what_has_no_owner()
    {
        using var store = new TestStore();
        using var over = new CancellationTokenSource();
        var sweeper = Task.Factory.StartNew(
            () =>
            {
                while (!over.IsCancellationRequested) store.Run(new SweepStagings(AtStart: false));
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        for (var round = 0; round < 200; round++)
        {
            using var scratch = new ProbeScratch(store.Layout.Root);
            scratch.Make("a", "b");
            Assert.True(Directory.Exists(scratch.Path + "/b"));
        }

        await over.CancelAsync();
        await sweeper;
    }

    [Fact]
    public void A_failure_that_says_nothing_of_the_kernel_is_no_answer()
    {
        Assert.Null(IdMapProbe.Ask(static () => null));
        Assert.Equal("no", IdMapProbe.Ask(static () => "no"));
        foreach (var errno in new[] { Errno.EINVAL, Errno.EOPNOTSUPP, Errno.ENOSYS, Errno.EPERM, Errno.ENODEV })
            Assert.Contains(errno.ToString(), IdMapProbe.Ask(() => throw new LinuxException("fsconfig", "/", errno)), StringComparison.Ordinal);
        foreach (var errno in new[] { Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM, Errno.EAGAIN, Errno.EINTR, Errno.ENOSPC, Errno.EIO })
        {
            var failure = new LinuxException("fsconfig", "/", errno);
            Assert.Same(failure, Assert.Throws<LinuxException>(() => IdMapProbe.Ask(() => throw failure)));
            Assert.Contains("could not be found out", IdMapProbe.Tell(() => IdMapProbe.Ask(() => throw failure)), StringComparison.Ordinal);
        }
    }
}
