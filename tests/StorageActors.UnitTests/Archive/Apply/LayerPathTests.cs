using System.Text;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Tar;
using Xunit;

namespace StorageActors.UnitTests.Archive.Apply;

public sealed class LayerPathTests
{
    [Theory]
    [InlineData("a/b", "a/b")]
    [InlineData("./a/b", "a/b")]
    [InlineData("/a/b/", "a/b")]
    [InlineData("//././/a", "a")]
    [InlineData("a//b/./c/.", "a/b/c")]
    [InlineData("a/.b/..c/d..", "a/.b/..c/d..")]
    [InlineData("./", "")]
    [InlineData("/", "")]
    [InlineData(".", "")]
    [InlineData("", "")]
    public void Names_are_cleaned_lexically(string name, string expected)
    {
        var clean = LayerPath.Clean(Encoding.UTF8.GetBytes(name), new ByteBuffer(), out var fault);
        Assert.Null(fault);
        Assert.Equal(expected, Encoding.UTF8.GetString(clean));
    }

    [Theory]
    [InlineData("..")]
    [InlineData("../a")]
    [InlineData("a/../b")]
    [InlineData("a/..")]
    [InlineData("/../etc/passwd")]
    [InlineData("./../a")]
    public void Names_that_lead_upwards_are_refused(string name)
    {
        LayerPath.Clean(Encoding.UTF8.GetBytes(name), new ByteBuffer(), out var fault);
        Assert.Contains("..", fault);
    }

    [Fact]
    public void Names_that_no_file_system_takes_are_refused()
    {
        Assert.Contains("ENAMETOOLONG", FaultOf(new string('x', 256)));
        Assert.Contains("ENAMETOOLONG", FaultOf("a/" + new string('x', 256) + "/b"));
        Assert.Contains("4096 bytes", FaultOf(string.Join('/', Enumerable.Repeat(new string('x', 31), 127)) + "/" + new string('y', 32)));
        Assert.Contains("deep", FaultOf(string.Join('/', Enumerable.Repeat("x", 1025))));
        Assert.Null(FaultOf(new string('x', 255)));
        Assert.Null(FaultOf(string.Join('/', Enumerable.Repeat("x", 1024))));

        static string? FaultOf(string name)
        {
            LayerPath.Clean(Encoding.UTF8.GetBytes(name), new ByteBuffer(), out var fault);
            return fault;
        }
    }

    [Theory]
    [InlineData("a/b", EntryRole.Ordinary, "")]
    [InlineData("a/b.wh.c", EntryRole.Ordinary, "")]
    [InlineData("a/.whx", EntryRole.Ordinary, "")]
    [InlineData(".wh.a", EntryRole.Whiteout, "a")]
    [InlineData("d/.wh.a b", EntryRole.Whiteout, "a b")]
    [InlineData("d/.wh....", EntryRole.Whiteout, "...")]
    [InlineData(".wh..a", EntryRole.Whiteout, ".a")]
    [InlineData(".wh..wh..opq", EntryRole.Opaque, "")]
    [InlineData("d/.wh..wh..opq", EntryRole.Opaque, "")]
    [InlineData(".wh..wh.plnk/1.2", EntryRole.AufsLink, "")]
    [InlineData(".wh..wh.plnk", EntryRole.AufsMetadata, "")]
    [InlineData(".wh..wh.plnk/a/b", EntryRole.AufsMetadata, "")]
    [InlineData("d/.wh..wh.plnk/1.2", EntryRole.AufsMetadata, "")]
    [InlineData(".wh..wh.aufs", EntryRole.AufsMetadata, "")]
    [InlineData(".wh..wh.orph/x", EntryRole.AufsMetadata, "")]
    [InlineData(".wh.", EntryRole.Invalid, "")]
    [InlineData("d/.wh..", EntryRole.Invalid, "")]
    [InlineData("d/.wh...", EntryRole.Invalid, "")]
    [InlineData("d/.wh.a/b", EntryRole.Invalid, "")]
    public void Reserved_names_have_their_roles(string path, object role, string hidden)
    {
        Assert.Equal((EntryRole)role, EntryRoles.Of(Encoding.UTF8.GetBytes(path), out var name));
        if ((EntryRole)role == EntryRole.Whiteout) Assert.Equal(hidden, Encoding.UTF8.GetString(name));
    }
}
