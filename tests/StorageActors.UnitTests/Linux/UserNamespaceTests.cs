using System.Globalization;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Linux;

public sealed class UserNamespaceTests
{
    [SkippableFact]
    public void A_namespace_has_its_maps_and_the_process_that_it_took_is_gone()
    {
        RequiredTiers.SkipUnlessRoot();
        using var directory = new TempDirectory();
        File.WriteAllText(directory["file"], "");
        for (var i = 0u; i < 20; i++)
        {
            using var made = UserNamespace.Create(FormattableString.Invariant($"0 {100_000 + i} 5\n5 7 1\n"), "0 200000 1\n");
            using var clone = Libc.OpenTree(directory.Handle, [], OpenTreeFlags.Clone);
            Libc.MountSetAttr(clone, MountAttributes.IdMap, userNamespace: made);
            var status = Libc.FStatAt(clone, "file"u8);
            Assert.Equal((100_000 + i, 200_000u), (status.UserId, status.GroupId));
        }

        AssertNobodyIsLeft();
    }

    [SkippableTheory]
    [InlineData("0 1 0\n")]
    [InlineData("0 1 5\n2 9 1\n")]
    [InlineData("")]
    [InlineData("nonsense")]
    public void A_map_that_the_kernel_refuses_is_an_error_that_shows_it_and_leaves_no_process(string map)
    {
        RequiredTiers.SkipUnlessRoot();
        var error = Assert.Throws<LinuxException>(() =>
        {
            using var made = UserNamespace.Create(map, "0 0 1\n");
            using var directory = new TempDirectory();
            using var clone = Libc.OpenTree(directory.Handle, [], OpenTreeFlags.Clone);
            Libc.MountSetAttr(clone, MountAttributes.IdMap, userNamespace: made); // Without any map there is a namespace, but no mount takes it.
        });
        Assert.Equal(map.Length == 0 ? Errno.EINVAL : error.Errno, error.Errno);
        AssertNobodyIsLeft();
    }

    /// <summary>Such processes are told from others by their end, which they announce to nobody. Another test may be making one at this moment, so it may take a moment.</summary>
    private static void AssertNobodyIsLeft() =>
        Assert.True(SpinWait.SpinUntil(static () => !Children().Any(static pid => ExitSignal(pid) == 0), TimeSpan.FromMinutes(2)), "a process is left");

    private static IEnumerable<int> Children() => Directory.GetDirectories("/proc/self/task").SelectMany(static task =>
    {
        try { return File.ReadAllText(task + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static pid => int.Parse(pid, CultureInfo.InvariantCulture)); }
        catch (IOException) { return []; } // The thread has ended.
    });

    private static int? ExitSignal(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[35], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
