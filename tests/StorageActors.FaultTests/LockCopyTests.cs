using StorageActors.FaultTests.Seccomp;
using StorageActors.Store;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.FaultTests;

/// <summary>A program that is being started has all descriptors of the process that starts it, until it has begun to be that program.</summary>
public sealed class LockCopyTests
{
    [SkippableFact]
    public void A_lock_that_is_given_back_is_free_although_somebody_has_a_copy_of_its_descriptor()
    {
        RequiredTiers.SkipUnlessRoot();
        RequiredTiers.SkipUnless(Native.IsAvailable(), "seccomp", "needs a kernel that copies descriptors between processes");
        using var directory = new TempDirectory();
        FileLock.TryTake(directory["lock"], create: true, out var first);
        using var self = Native.OpenProcess(Environment.ProcessId);
        using var copy = Native.TryTakeDescriptor(self, (int)first!.File.DangerousGetHandle());
        Assert.NotNull(copy);
        Assert.Equal(LockAttempt.Held, FileLock.TryTake(directory["lock"], create: false, out _));

        first.Dispose();

        Assert.Equal(LockAttempt.Taken, FileLock.TryTake(directory["lock"], create: false, out var second));
        second!.Dispose();
    }
}
