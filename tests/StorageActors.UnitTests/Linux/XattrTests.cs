using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Linux;

/// <summary>Extended attributes of everything that can have them, with the calls of 6.13 and without.</summary>
[Collection(nameof(KernelFeatures))]
public sealed class XattrTests : IDisposable
{
    private readonly TempDirectory _temp = new();

    public XattrTests()
    {
        Libc.MknodAt(_temp.Handle, "file"u8, FileType.Regular, 0x180);
        Libc.MkdirAt(_temp.Handle, "dir"u8, 0x1C0);
        Libc.SymlinkAt("file"u8, _temp.Handle, "link"u8);
    }

    public void Dispose()
    {
        KernelFeatures.XattrAt = Libc.ProbeXattrAt();
        _temp.Dispose();
    }

    [Theory]
    [InlineData("file", OpenFlags.ReadOnly, true)]
    [InlineData("file", OpenFlags.Path, true)]
    [InlineData("file", OpenFlags.Path, false)]
    [InlineData("dir", OpenFlags.ReadOnly, true)]
    [InlineData("dir", OpenFlags.Path, false)]
    public void An_open_inode_keeps_names_and_values_of_any_bytes(string name, object flags, bool hasCalls)
    {
        KernelFeatures.XattrAt &= hasCalls;
        using var file = Libc.OpenAt(_temp.Handle, System.Text.Encoding.UTF8.GetBytes(name), (OpenFlags)flags);
        ReadOnlySpan<byte> odd = [.. "user."u8, 0xE4, (byte)'\n'];
        var value = new byte[1500];
        Random.Shared.NextBytes(value);
        Libc.FSetXattr(file, odd, value);
        Libc.FSetXattr(file, "user.empty"u8, []);

        Assert.Equal(value, Libc.FGetXattr(file, odd));
        Assert.Equal<byte[]>([], Libc.FGetXattr(file, "user.empty"u8));
        Assert.Null(Libc.FGetXattr(file, "user.missing"u8));
        Assert.Equal(Errno.ERANGE, Libc.TryFGetXattr(file, odd, new byte[10], out _));
        Assert.Equal([@"user.\xe4\x0a", "user.empty"], Libc.FListXattr(file).ToList().Select(found => PathText.Escape(found)).Order(StringComparer.Ordinal));
        Assert.True(Libc.FRemoveXattr(file, odd));
        Assert.False(Libc.FRemoveXattr(file, odd));
        Assert.Null(Libc.FGetXattr(file, odd));
    }

    [SkippableTheory]
    [InlineData("link", true)]
    [InlineData("link", false)]
    [InlineData("device", true)]
    [InlineData("device", false)]
    [InlineData("file", true)]
    [InlineData("file", false)]
    public void A_name_is_given_its_own_attributes_and_a_link_is_not_followed(string name, bool hasCalls)
    {
        RequiredTiers.SkipUnlessRoot();
        KernelFeatures.XattrAt &= hasCalls;
        Libc.MknodAt(_temp.Handle, "device"u8, FileType.CharacterDevice, 0x180, new DeviceNumber(1, 3));
        var bytes = System.Text.Encoding.UTF8.GetBytes(name);
        Libc.SetXattrAt(_temp.Handle, bytes, "trusted.a"u8, "value"u8);
        Assert.Equal("value"u8.ToArray(), Libc.GetXattrAt(_temp.Handle, bytes, "trusted.a"u8));
        Assert.Equal("trusted.a"u8.ToArray(), Assert.Single(Libc.ListXattrAt(_temp.Handle, bytes).ToList()));
        foreach (var other in new[] { "file", "link", "device" }.Where(other => other != name))
        {
            Assert.Null(Libc.GetXattrAt(_temp.Handle, System.Text.Encoding.UTF8.GetBytes(other), "trusted.a"u8));
        }
        Assert.Equal(Errno.EEXIST, Libc.TrySetXattrAt(_temp.Handle, bytes, "trusted.a"u8, "x"u8, XattrFlags.Create));
        Assert.True(Libc.RemoveXattrAt(_temp.Handle, bytes, "trusted.a"u8));
        Assert.False(Libc.RemoveXattrAt(_temp.Handle, bytes, "trusted.a"u8));
        Assert.True(Libc.ListXattrAt(_temp.Handle, bytes).IsEmpty);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_attribute_that_cannot_be_says_which_and_where(bool hasCalls)
    {
        KernelFeatures.XattrAt &= hasCalls;
        var error = Assert.Throws<LinuxException>(() => Libc.SetXattrAt(_temp.Handle, "file"u8, "nonsense.a"u8, []));
        Assert.Equal($"setxattrat \"{_temp.Path}/file\" (nonsense.a): EOPNOTSUPP (Operation not supported)", error.Message);
        Assert.Equal(Errno.ENOENT, Libc.TryGetXattrAt(_temp.Handle, "missing"u8, "user.a"u8, new byte[10], out _));
        Assert.Equal(Errno.ERANGE, Libc.TrySetXattrAt(_temp.Handle, "file"u8, new byte[256].AsSpan(), []));
        Assert.Throws<LinuxException>(() => Libc.FSetXattr(_temp.Handle, "user.\0"u8, []));
    }
}
