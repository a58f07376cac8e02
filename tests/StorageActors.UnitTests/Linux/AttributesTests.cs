using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Linux;

/// <summary>Owner, mode, times and device numbers, on descriptors of all kinds and on names that are not followed.</summary>
[Collection(nameof(KernelFeatures))]
public sealed class AttributesTests : IDisposable
{
    private static readonly TimeSpec Time = new(1_600_000_000, 123_456_789);
    private readonly TempDirectory _temp = new();

    public AttributesTests()
    {
        Libc.MknodAt(_temp.Handle, "file"u8, FileType.Regular, 0x180);
        Libc.SymlinkAt("file"u8, _temp.Handle, "link"u8);
    }

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Mode_is_set_exactly_also_on_path_descriptors(bool onlyPath)
    {
        using var file = Libc.OpenAt(_temp.Handle, "file"u8, onlyPath ? OpenFlags.Path : OpenFlags.ReadOnly);
        Libc.FChmod(file, 0xDFF);
        Assert.Equal(0xDFFu, Libc.FStat(file).Permissions);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Mode_of_a_name_is_set_and_a_link_is_refused_rather_than_followed(bool hasCall)
    {
        KernelFeatures.FChmodAt2 = hasCall;
        try
        {
            Libc.FChmodAt(_temp.Handle, "file"u8, 0x1C7);
            Assert.Equal(0x1C7u, Libc.FStatAt(_temp.Handle, "file"u8).Permissions);
            var error = Assert.Throws<LinuxException>(() => Libc.FChmodAt(_temp.Handle, "link"u8, 0x1FF));
            Assert.Equal(Errno.EOPNOTSUPP, error.Errno);
            Assert.Equal(0x1C7u, Libc.FStatAt(_temp.Handle, "file"u8).Permissions);
        }
        finally
        {
            KernelFeatures.FChmodAt2 = true;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Times_are_set_to_the_nanosecond_also_on_path_descriptors(bool onlyPath)
    {
        using var file = Libc.OpenAt(_temp.Handle, "file"u8, onlyPath ? OpenFlags.Path : OpenFlags.ReadOnly);
        Libc.FUtimens(file, new TimeSpec(1, 2), Time);
        Libc.FUtimens(file, TimeSpec.Omit, TimeSpec.Omit);
        var status = Libc.FStat(file);
        Assert.Equal((new TimeSpec(1, 2), Time), (status.AccessTime, status.ModifyTime));
    }

    [Fact]
    public void Times_of_a_link_are_its_own()
    {
        var before = Libc.FStatAt(_temp.Handle, "file"u8).ModifyTime;
        Libc.UtimensAt(_temp.Handle, "link"u8, TimeSpec.Omit, Time);
        Assert.Equal(Time, Libc.FStatAt(_temp.Handle, "link"u8).ModifyTime);
        Assert.Equal(before, Libc.FStatAt(_temp.Handle, "file"u8).ModifyTime);
    }

    [SkippableFact]
    public void Owner_is_set_on_names_links_and_descriptors()
    {
        RequiredTiers.SkipUnlessRoot();
        Libc.FChownAt(_temp.Handle, "link"u8, 1, 2);
        using (var file = Libc.OpenAt(_temp.Handle, "file"u8, OpenFlags.Path)) Libc.FChown(file, 70_000, 4_000_000_000);
        var (link, target) = (Libc.FStatAt(_temp.Handle, "link"u8), Libc.FStatAt(_temp.Handle, "file"u8));
        Assert.Equal((1u, 2u), (link.UserId, link.GroupId));
        Assert.Equal((70_000u, 4_000_000_000u), (target.UserId, target.GroupId));
    }

    [SkippableTheory]
    [InlineData(0u, 0u)]
    [InlineData(8u, 17u)]
    [InlineData(259u, 70_000u)]
    [InlineData(4095u, 1_048_575u)]
    public void A_device_keeps_its_number(uint major, uint minor)
    {
        RequiredTiers.SkipUnlessRoot();
        Libc.MknodAt(_temp.Handle, "device"u8, FileType.CharacterDevice, 0x180, new DeviceNumber(major, minor));
        var status = Libc.FStatAt(_temp.Handle, "device"u8);
        Assert.Equal((FileType.CharacterDevice, new DeviceNumber(major, minor)), (status.Type, status.Device));
    }

    [Fact]
    public void Status_tells_what_the_base_library_tells()
    {
        File.WriteAllBytes(_temp["file"], new byte[5000]);
        var status = Libc.Stat(_temp["file"]);
        var info = new FileInfo(_temp["file"]);
        Assert.Equal(info.Length, status.Size);
        Assert.Equal(info.LastWriteTimeUtc, DateTime.UnixEpoch.AddSeconds(status.ModifyTime.Seconds).AddTicks(status.ModifyTime.Nanoseconds / 100));
        Assert.Equal((1u, Libc.GetEuid(), Libc.GetEgid()), (status.Links, status.UserId, status.GroupId));
        Assert.InRange(status.Blocks, 1, 64);
        Assert.False(status.IsMountRoot);
        Assert.True(Libc.Stat("/proc").IsMountRoot);
    }

    [Fact]
    public void Space_and_kind_of_a_file_system_are_told()
    {
        var status = Libc.FStatFs(_temp.Handle);
        var drive = new DriveInfo(_temp.Path);
        Assert.Equal(drive.TotalSize, (long)status.Blocks * status.BlockSize);
        Assert.Equal(status.Type, Libc.StatFs(_temp.Path).Type);
        Assert.Equal(FsMagic.Proc, Libc.StatFs("/proc").Type);
        Assert.False(status.IsReadOnly);
        Assert.Equal(255, status.NameLength);
    }
}
