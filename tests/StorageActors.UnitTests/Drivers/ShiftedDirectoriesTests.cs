using StorageActors.Drivers;
using StorageActors.Drivers.Overlay;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Drivers;

public sealed class ShiftedDirectoriesTests
{
    [SkippableFact]
    public void Namespaces_are_kept_up_to_a_number_and_what_was_shifted_does_not_need_them()
    {
        RequiredTiers.SkipUnlessRoot();
        using var directory = new TempDirectory();
        var shifted = new ShiftedDirectories();
        using var first = shifted.Shift(directory.Handle, directory.Path, To(1));
        for (var user = 2u; user <= ShiftedDirectories.Most + 2; user++)
        {
            using var one = shifted.Shift(directory.Handle, directory.Path, To(user));
            using var again = shifted.Shift(directory.Handle, directory.Path, To(user));
            Assert.Equal((user, user), (Libc.FStat(one).UserId, Libc.FStat(again).GroupId));
            Assert.Equal((int)Math.Min(user, ShiftedDirectories.Most), shifted.Count);
        }

        shifted.Dispose();
        Assert.Equal(0, shifted.Count);
        Assert.Equal(1u, Libc.FStat(first).UserId);
        Assert.Throws<ObjectDisposedException>(() => shifted.Shift(directory.Handle, directory.Path, To(1)));
        static IdShift To(uint user) => new(FormattableString.Invariant($"0 {user} 1\n"), FormattableString.Invariant($"0 {user} 1\n"));
    }

    [SkippableFact]
    public void A_file_system_that_cannot_be_shifted_is_refused_with_what_to_do()
    {
        RequiredTiers.SkipUnlessRoot();
        using var shifted = new ShiftedDirectories();
        using var proc = Libc.OpenDirectory("/proc");
        var error = Assert.Throws<PermanentDriverException>(() => shifted.Shift(proc, "/proc", new IdShift("0 1 1\n", "0 1 1\n"))).Error;
        Assert.Equal((Protocol.StorageErrorCode.Unsupported, "/proc"), (error.Code, error.Path));
        Assert.Contains("host ids", error.Message, StringComparison.Ordinal);
    }
}
