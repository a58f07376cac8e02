using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.UnitTests.Drivers;

public sealed class DriverErrorsTests
{
    [Theory]
    [InlineData(Errno.EBUSY, StorageErrorCode.InUse, true)]
    [InlineData(Errno.EAGAIN, StorageErrorCode.Busy, true)]
    [InlineData(Errno.EMFILE, StorageErrorCode.Busy, true)]
    [InlineData(Errno.ENFILE, StorageErrorCode.Busy, true)]
    [InlineData(Errno.ENOMEM, StorageErrorCode.Busy, true)]
    [InlineData(Errno.ESTALE, StorageErrorCode.Io, true)]
    [InlineData(Errno.ENOSPC, StorageErrorCode.NoSpace, false)]
    [InlineData(Errno.EDQUOT, StorageErrorCode.NoSpace, false)]
    [InlineData(Errno.ENOENT, StorageErrorCode.NotFound, false)]
    [InlineData(Errno.EINVAL, StorageErrorCode.Unsupported, false)]
    [InlineData(Errno.EPERM, StorageErrorCode.Unsupported, false)]
    [InlineData(Errno.ENAMETOOLONG, StorageErrorCode.LimitExceeded, false)]
    [InlineData(Errno.EIO, StorageErrorCode.Io, false)]
    [InlineData(Errno.EPROTO, StorageErrorCode.Io, false)]
    public void Errno_says_what_kind_of_refusal_it_is_and_whether_to_try_again(Errno errno, StorageErrorCode code, bool transient)
    {
        var translated = DriverErrors.Translate(new LinuxException("umount2", "/store/x", errno, detail: "the kernel's words"), "umount", "/store")!;
        Assert.Equal(transient, translated is TransientDriverException);
        Assert.Equal((code, "umount", "/store/x", errno.ToString()), (translated.Error.Code, translated.Error.Operation, translated.Error.Path, translated.Error.Errno));
        Assert.Contains("the kernel's words", translated.Error.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", translated.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cancellation_is_its_own_kind()
    {
        Assert.Equal(StorageErrorCode.Cancelled, DriverErrors.Translate(new OperationCanceledException(), "extract", "/x")!.Error.Code);
    }

    [Fact]
    public void Defects_are_not_dressed_up()
    {
        Assert.Null(DriverErrors.Translate(new InvalidOperationException(), "extract", "/x"));
        Assert.Throws<InvalidOperationException>(() => DriverErrors.Guard("extract", "/x", () => throw new InvalidOperationException("a defect")));
    }

    [Fact]
    public void Drivers_own_exceptions_pass_as_they_are()
    {
        var own = DriverErrors.Refuse(StorageErrorCode.WrongState, "seal", "It is mounted.");
        Assert.Same(own, Assert.Throws<PermanentDriverException>(() => DriverErrors.Guard("extract", "/x", () => throw own)));
    }
}
