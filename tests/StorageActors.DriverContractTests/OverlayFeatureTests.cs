using StorageActors.DriverContractTests.Harness;
using StorageActors.Drivers;
using StorageActors.Drivers.Overlay;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.DriverContractTests;

/// <summary>What the overlay driver says of the kernel beyond what it needs.</summary>
public sealed class OverlayFeatureTests
{
    [SkippableTheory]
    [InlineData(nameof(OverlayMethod.Descriptors))]
    [InlineData(nameof(OverlayMethod.Names))]
    [InlineData(nameof(OverlayMethod.OptionString))]
    public void Features_are_found_out_in_every_way_to_mount_and_leave_nothing(string way)
    {
        RequiredTiers.SkipUnlessRoot();
        using var store = LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
        var method = Enum.Parse<OverlayMethod>(way);
        using var driver = Open(store.Path, method);

        var facts = driver.Facts.ToLookup(static fact => fact.Name, static fact => fact.Value, StringComparer.Ordinal);

        string[] names = ["native diff", "metadata-only copies (metacopy)", "data-only layers", "150 layers in a stack", "whiteouts without privileges", "SELinux context mounts"];
        Assert.All(names, name => Assert.Matches(@"^(yes|no( \(E[A-Z0-9]+\))?|SELinux is not enabled)$", Assert.Single(facts[name])));
        Assert.Equal(["yes"], facts["native diff"]); // Without it, diffs of the store would not be what they are.
        if (method != OverlayMethod.OptionString) Assert.Equal(["yes"], facts["150 layers in a stack"]);
        Assert.Equal(["true"], facts["Native Overlay Diff"]);
        Assert.Equal(["true"], facts["Supports d_type"]);
        Assert.Equal(["false"], facts["Using metacopy"]);
        Assert.NotEmpty(Assert.Single(facts["Backing Filesystem"]));
        // What was found out before on this file system needs no directory now.
        if (Directory.Exists(store.Path + "/staging")) Assert.Empty(Directory.EnumerateFileSystemEntries(store.Path + "/staging"));
    }

    /// <summary>An older kernel does not know every way.</summary>
    private static OverlayDriver Open(string root, OverlayMethod method)
    {
        try
        {
            return new OverlayDriver(root, new DriverOptions { OverlayMethod = method });
        }
        catch (PermanentDriverException e) when (e.Error.Code == StorageErrorCode.Unsupported)
        {
            throw new SkipException(e.Message, e);
        }
    }
}
