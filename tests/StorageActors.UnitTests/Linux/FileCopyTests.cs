using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Linux;

/// <summary>Every answer that file systems give to the cheap ways of copying, and what follows from it.</summary>
public sealed class FileCopyTests
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 3_000_000).Select(static i => (byte)(i * 7 / 5))];

    public static TheoryData<Errno> GoesForTheFile => [Errno.EINVAL, Errno.EPERM, Errno.EACCES, Errno.EBADF, Errno.ETXTBSY];

    public static TheoryData<Errno> GoesForAll => [Errno.EXDEV, Errno.ENOSYS, Errno.EOPNOTSUPP];

    public static TheoryData<Errno> IsAnError => [Errno.EIO, Errno.ENOSPC, Errno.EDQUOT, Errno.EFBIG, Errno.ENOMEM, Errno.EROFS];

    [Theory]
    [MemberData(nameof(GoesForTheFile))]
    public void What_one_file_refuses_is_tried_again_with_the_next(Errno errno)
    {
        var calls = new Answers(clone: errno, range: errno);
        var route = new CopyRoute();
        Assert.Equal(CopyMethod.ByHand, Copy(calls, route));
        Assert.Equal(CopyMethod.ByHand, Copy(calls, route));
        Assert.Equal((2, 2), (calls.Clones, calls.Ranges));
    }

    [Theory]
    [MemberData(nameof(GoesForAll))]
    public void What_the_file_systems_cannot_is_not_tried_again(Errno errno)
    {
        var calls = new Answers(clone: errno, range: errno);
        var route = new CopyRoute();
        Assert.Equal(CopyMethod.ByHand, Copy(calls, route));
        Assert.Equal(CopyMethod.ByHand, Copy(calls, route));
        Assert.Equal((1, 1), (calls.Clones, calls.Ranges));
        Assert.Equal((false, false), (route.MayShare, route.MayCopyInKernel));
    }

    [Theory]
    [MemberData(nameof(IsAnError))]
    public void Full_or_broken_disk_is_an_error_and_nothing_else_is_tried(Errno errno)
    {
        var calls = new Answers(clone: errno, range: errno);
        var route = new CopyRoute();
        Assert.Equal((errno, "ioctl"), Failure(calls, route));
        Assert.Equal((1, 0), (calls.Clones, calls.Ranges));

        var ranges = new Answers(clone: Errno.EOPNOTSUPP, range: errno);
        Assert.Equal((errno, "copy_file_range"), Failure(ranges, route));
        Assert.Equal(1, ranges.Ranges);
    }

    [Fact]
    public void Way_that_ends_in_the_middle_of_a_file_is_gone_on_by_hand()
    {
        var calls = new Answers(clone: Errno.ENOTTY, range: Errno.EINVAL) { RangesThatWork = 1, PieceThatWorks = 1_000_000 };
        Assert.Equal(CopyMethod.ByHand, Copy(calls, new CopyRoute()));
        Assert.Equal(2, calls.Ranges);
    }

    [Fact]
    public void Kernel_that_copies_in_pieces_is_asked_for_all_of_them()
    {
        var calls = new Answers(clone: Errno.EXDEV, range: Errno.None) { RangesThatWork = int.MaxValue, PieceThatWorks = 700_001 };
        Assert.Equal(CopyMethod.InKernel, Copy(calls, new CopyRoute()));
        Assert.Equal(5, calls.Ranges);
    }

    [Fact]
    public void Source_that_shrinks_ends_the_copy()
    {
        using var directory = new TempDirectory();
        using var source = Make(directory, "source", Content);
        var before = Libc.FStat(source);
        Libc.FTruncate(source, 1234);
        foreach (var errno in (Errno[])[Errno.None, Errno.EXDEV])
        {
            using var target = Make(directory, $"target-{errno}", []);
            var calls = errno == Errno.None ? new Answers(Errno.EOPNOTSUPP, Errno.None) { RangesThatWork = int.MaxValue } : new Answers(errno, errno);
            new FileCopy(calls).Copy(source, before, target, new CopyRoute(), CancellationToken.None);
            Assert.Equal(Content[..1234], File.ReadAllBytes(directory[$"target-{errno}"]));
        }
    }

    [Theory]
    [InlineData(Errno.EXDEV, Errno.EXDEV)]
    [InlineData(Errno.EOPNOTSUPP, Errno.None)]
    [InlineData(Errno.None, Errno.None)]
    public void Holes_stay_holes(Errno clone, Errno range)
    {
        using var directory = new TempDirectory();
        using var source = Make(directory, "source", []);
        Libc.PWriteAll(source, Content.AsSpan(0, 10_000), 4 << 20);
        Libc.PWriteAll(source, Content.AsSpan(0, 5), 9 << 20);
        Libc.FTruncate(source, 20 << 20);
        using var target = Make(directory, "target", []);
        var calls = new Answers(clone, range) { ClonesThatWork = clone == Errno.None ? 1 : 0, RangesThatWork = range == Errno.None ? int.MaxValue : 0 };
        new FileCopy(calls).Copy(source, Libc.FStat(source), target, new CopyRoute(), CancellationToken.None);
        Libc.FSync(source);
        Libc.FSync(target);
        Assert.Equal(File.ReadAllBytes(directory["source"]), File.ReadAllBytes(directory["target"]));
        Assert.InRange(Libc.FStat(target).Blocks, 1, Libc.FStat(source).Blocks + 64);
    }

    [Fact]
    public void Empty_file_needs_no_call()
    {
        using var directory = new TempDirectory();
        using var source = Make(directory, "source", []);
        using var target = Make(directory, "target", []);
        var calls = new Answers(Errno.EIO, Errno.EIO);
        Assert.Equal(CopyMethod.Nothing, new FileCopy(calls).Copy(source, Libc.FStat(source), target, new CopyRoute(), CancellationToken.None));
    }

    [Fact]
    public void Cancelled_copy_ends_between_pieces()
    {
        using var directory = new TempDirectory();
        using var source = Make(directory, "source", Content);
        using var target = Make(directory, "target", []);
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() =>
            new FileCopy(new Answers(Errno.EXDEV, Errno.EXDEV)).Copy(source, Libc.FStat(source), target, new CopyRoute(), stop.Token));
    }

    private static (Errno Errno, string Operation) Failure(CopyCalls calls, CopyRoute route)
    {
        var error = Assert.Throws<LinuxException>(() => Copy(calls, route));
        return (error.Errno, error.Operation);
    }

    private static CopyMethod Copy(CopyCalls calls, CopyRoute route)
    {
        using var directory = new TempDirectory();
        using var source = Make(directory, "source", Content);
        using var target = Make(directory, "target", []);
        var method = new FileCopy(calls).Copy(source, Libc.FStat(source), target, route, CancellationToken.None);
        Assert.Equal(Content, File.ReadAllBytes(directory["target"]));
        return method;
    }

    private static SafeFileHandle Make(TempDirectory directory, string name, byte[] content)
    {
        File.WriteAllBytes(directory[name], content);
        return Libc.Open(directory[name], OpenFlags.ReadWrite);
    }

    /// <summary>Answers as it was told to; what works is left to the kernel, or done by hand where that cannot.</summary>
    private sealed class Answers(Errno clone, Errno range) : CopyCalls
    {
        internal int Clones { get; private set; }

        internal int Ranges { get; private set; }

        internal int ClonesThatWork { get; init; }

        internal int RangesThatWork { get; init; }

        internal long PieceThatWorks { get; init; } = long.MaxValue;

        internal override Errno Clone(SafeFileHandle target, SafeFileHandle source) =>
            ++Clones <= ClonesThatWork ? base.Clone(target, source) : clone;

        internal override Errno CopyRange(
            SafeFileHandle source, long sourceOffset, SafeFileHandle target, long targetOffset, long length, out long copied)
        {
            copied = 0;
            if (++Ranges > RangesThatWork) return range;
            var buffer = new byte[Math.Min(Math.Min(length, PieceThatWorks), 4 << 20)];
            copied = Libc.PRead(source, buffer, sourceOffset);
            Libc.PWriteAll(target, buffer.AsSpan(0, (int)copied), targetOffset);
            return Errno.None;
        }
    }
}
