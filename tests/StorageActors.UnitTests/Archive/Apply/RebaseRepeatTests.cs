using StorageActors.Archive.Apply;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Archive.Apply;

/// <summary>A rebase that failed for the moment is repeated, and what comes of it is what an undisturbed one makes.</summary>
public sealed class RebaseRepeatTests
{
    /// <summary>A whiteout has the time at which it was made.</summary>
    private const SnapshotParts Parts = SnapshotParts.All & ~SnapshotParts.Times;

    [SkippableFact]
    public void A_rebase_that_failed_anywhere_and_is_repeated_makes_the_same_layer()
    {
        var expected = Settle(failAt: 0, out var looks);
        Assert.True(looks > 6, "it looks below for each of its decisions");
        for (var nth = 1; nth <= looks; nth++) Assert.Equal(expected, Settle(nth, out _));
    }

    /// <summary>Whiteouts in directories of the layer, in one that only the layers below have, and in the root; a directory without an entry of its own.</summary>
    private static IReadOnlyList<string> Settle(int failAt, out int looks)
    {
        using var lab = new LayerLab(Way.Rebased);
        lab.Add(new LayerTar().Dir("etc").File("etc/gone", "1").Dir("opt").File("opt/gone", "2").Dir("deep", mode: 0x1c8).Dir("deep/below", uid: 7).File("deep/below/gone", "3").File("gone", "4"));
        var deferred = lab.AddUnsettled(
            new LayerTar().Dir("etc").File("etc/new", "5").Whiteout("etc/gone").File("opt/new", "6").Whiteout("opt/gone").Whiteout("deep/below/gone").Whiteout("gone"), out var target);
        var view = new FailingView(target.Below!, failAt);
        var disturbed = target with { Below = view };
        try
        {
            LayerRebase.Settle(deferred, disturbed);
        }
        catch (LinuxException e) when (e.Errno == Errno.EBUSY)
        {
            LayerRebase.Settle(deferred, disturbed);
        }

        looks = view.Looks;
        return TreeSnapshot.Capture(lab.DiffOf(1), Parts).Lines;
    }

    private sealed class FailingView(ILowerView view, int failAt) : ILowerView
    {
        internal int Looks { get; private set; }

        public LowerEntry? Find(ReadOnlySpan<byte> path) => ++Looks == failAt ? throw new LinuxException("statx", "below", Errno.EBUSY) : view.Find(path);

        public IReadOnlyList<byte[]> List(ReadOnlySpan<byte> directory) => view.List(directory);
    }
}
