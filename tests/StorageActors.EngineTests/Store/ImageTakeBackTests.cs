using System.Text;
using StorageActors.DriverOperations;
using StorageActors.EngineTests.Support;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Store;
using Xunit;

namespace StorageActors.EngineTests.Store;

/// <summary>What becomes of an image that is put again when something fails after the old directory and the new one were exchanged.</summary>
public sealed class ImageTakeBackTests : IDisposable
{
    private static readonly ImageId Image = ImageId.Of(Digest.EmptyLayer);

    private readonly TestStore _store = new();

    private string Home => _store.Layout.ImageHome;

    [Fact]
    public void It_is_taken_back_and_nothing_is_left_of_the_new_one()
    {
        Put("old", _store.Services);
        Assert.Equal(Errno.EIO, Assert.Throws<LinuxException>(() => Put("new", Failing(times: 1))).Errno);
        Assert.Equal("old", Document(_store.Layout.ImageDirectory(Image)));
        Assert.Single(Directory.GetFileSystemEntries(Home));
        Assert.False(ImageFile.IsAnyStaged(_store.Layout));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Where_it_cannot_be_taken_back_the_old_one_stays_for_the_next_start(bool isMoved)
    {
        Put("old", _store.Services);
        // Either the lock cannot be taken again, or it can, and there is nothing to exchange any more.
        var (times, aside) = (isMoved ? 1 : 9, Path.Combine(_store.Layout.Root, "aside"));
        var services = Failing(times, () =>
        {
            if (isMoved) Directory.Move(_store.Layout.ImageDirectory(Image), aside);
        });
        Assert.Equal(Errno.EIO, Assert.Throws<LinuxException>(() => Put("new", services)).Errno);
        Assert.Equal("new", Document(isMoved ? aside : _store.Layout.ImageDirectory(Image)));
        var staged = Assert.Single(Directory.GetFileSystemEntries(Home), static path => Path.GetFileName(path)[0] == '.');
        Assert.Equal("old", Document(staged));
        Assert.True(ImageFile.IsAnyStaged(_store.Layout));
    }

    public void Dispose() => _store.Dispose();

    private static void Put(string document, DriverServices services)
    {
        var content = Encoding.UTF8.GetBytes(document);
        var record = new ImageRecord(
            Image, [], [], new Dictionary<string, string>(StringComparer.Ordinal), DateTimeOffset.UnixEpoch, null, [new BigDataItem("config", content.Length, Digest.Of(content))]);
        new PutImageFiles(record, [new BigData("config", content)], [], Durable: true).Execute(services, CancellationToken.None);
    }

    private static string Document(string directory) => File.ReadAllText(Path.Combine(directory, "config"));

    /// <summary>With a lock that fails as soon as the new image has its name.</summary>
    private DriverServices Failing(int times, Action? meanwhile = null)
    {
        var left = times;
        return _store.Services with
        {
            Lock = new StoreLock(_store.Layout.StoreLock, _store.Metrics, new WatchedTime(() =>
            {
                if (left == 0 || Document(_store.Layout.ImageDirectory(Image)) != "new") return;
                left--;
                meanwhile?.Invoke();
                throw new LinuxException("fcntl", _store.Layout.StoreLock, Errno.EIO);
            })),
        };
    }

    /// <summary>Whoever looks at the time runs something, which may throw.</summary>
    private sealed class WatchedTime(Action looked) : TimeProvider
    {
        public override long GetTimestamp()
        {
            looked();
            return base.GetTimestamp();
        }
    }
}
