using Microsoft.Win32.SafeHandles;
using StorageActors.Drivers.Mounting;
using StorageActors.Drivers.Overlay;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.DriverContractTests;

/// <summary>Descriptors of layers that are kept open between mounts, where the kernel tells what has changed.</summary>
public sealed class WatchedLayerHandlesTests : LayerHandlesTests
{
    [Fact]
    public void A_layer_that_has_its_names_still_is_not_opened_again()
    {
        var opened = 0;
        using var handles = Handles(path => Open(path, ref opened), 4);
        var path = Make("a", "1");
        Watch(handles, path);
        File.SetUnixFileMode(Path.GetDirectoryName(path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead);
        Assert.Equal("1", Content(handles, path));
        Assert.Equal(1, opened);
    }

    [Fact]
    public void More_changes_than_the_kernel_remembers_are_changes_of_every_layer()
    {
        using var handles = Handles(Open, 4);
        var (busy, other) = (Make("a", "1"), Make("b", "old"));
        Watch(handles, busy, other);
        for (var number = 0; number < 10_000; number++)
        {
            var name = $"{Path.GetDirectoryName(busy)}/{number}";
            File.WriteAllText(name, "");
            File.Delete(name);
        }

        Directory.Move(other, other + ".old");
        Make("b", "new");
        Assert.Equal(("1", "new"), (Content(handles, busy), Content(handles, other)));
    }

    [Fact]
    public void Two_directories_of_one_layer_are_forgotten_together_and_watched_as_long_as_one_is_kept()
    {
        using var handles = Handles(Open, 4);
        var (diff, empty) = (Make("a", "old"), Make("a", "old", directory: "empty"));
        Watch(handles, diff, empty);
        handles.Forget(empty);
        Directory.Move(diff, diff + ".old");
        Make("a", "new");
        Assert.Equal(("new", "old"), (Content(handles, diff), Content(handles, empty)));
        Watch(handles, diff, empty);
        Directory.Move(empty, empty + ".old");
        Make("a", "new", directory: "empty");
        Assert.Equal(("new", "new"), (Content(handles, diff), Content(handles, empty)));
    }

    [Fact]
    public void Each_layer_of_a_stack_is_forgotten_for_its_own_changes_alone()
    {
        var opened = 0;
        using var handles = Handles(path => Open(path, ref opened), 8);
        var paths = Enumerable.Range(0, 4).Select(number => Make($"layer{number}", "old")).ToArray();
        Watch(handles, paths);
        Directory.Move(paths[1], paths[1] + ".old");
        Make("layer1", "new");
        Assert.Equal(["old", "new", "old", "old"], paths.Select(path => Content(handles, path)));
        Assert.Equal(5, opened);
    }

    /// <summary>The second use of each is watched.</summary>
    private static void Watch(LayerHandles handles, params string[] paths)
    {
        for (var round = 0; round < 2; round++)
        {
            foreach (var path in paths) Content(handles, path);
        }
    }

    private protected override NameWatch? Watch()
    {
        var watch = NameWatch.TryCreate();
        Assert.NotNull(watch);
        return watch;
    }
}

/// <summary>The same where it does not.</summary>
public sealed class UnwatchedLayerHandlesTests : LayerHandlesTests
{
    private protected override NameWatch? Watch() => null;
}

/// <summary>Descriptors of layers that are kept open between mounts: never of another directory than the one that has the name now.</summary>
public abstract class LayerHandlesTests : IDisposable
{
    private static readonly TimeProvider Later = new Clock(DateTimeOffset.UtcNow.AddHours(1));

    private readonly TempDirectory _store = new();

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing) _store.Dispose();
    }

    private protected abstract NameWatch? Watch();

    private protected LayerHandles Handles(Func<string, SafeFileHandle> open, int maximum) => new(open, maximum, Later, Watch);

    [Fact]
    public void A_kept_directory_is_not_opened_again()
    {
        var opened = 0;
        using var handles = Handles(path => Open(path, ref opened), 4);
        var path = Make("a", "1");
        for (var round = 0; round < 3; round++) Assert.Equal("1", Content(handles, path));
        Assert.Equal((1, 1), (opened, handles.Count));
    }

    [Theory]
    [InlineData("moved away", 1)]
    [InlineData("deleted", 1)]
    [InlineData("content replaced", 1)]
    [InlineData("moved away", 3)]
    [InlineData("deleted", 3)]
    [InlineData("content replaced", 3)]
    public void A_layer_made_again_under_the_same_name_is_the_new_one(string how, int rounds)
    {
        using var handles = Handles(Open, 4);
        var path = Make("a", "old");
        for (var round = 0; round < rounds; round++) Assert.Equal("old", Content(handles, path));
        if (how == "moved away") Directory.Move(_store["a"], _store["trash"]);
        else if (how == "deleted") Directory.Delete(_store["a"], recursive: true);
        else Directory.Move(path, path + ".old");

        handles.Look();
        if (how != "content replaced") Assert.Throws<LinuxException>(() => handles.Take(path));
        Make("a", "new");
        Assert.Equal("new", Content(handles, path));
        Assert.Equal("new", Content(handles, path));
    }

    [Fact]
    public void A_layer_that_changed_just_now_is_not_kept()
    {
        var path = Make("a", "1");
        using var handles = new LayerHandles(Open, 4, new Clock(DateTimeOffset.FromUnixTimeSeconds(Libc.Stat(_store["a"]).ChangeTime.Seconds + 2)), Watch);
        Assert.Equal("1", Content(handles, path));
        Assert.Equal(0, handles.Count);
    }

    [Fact]
    public void The_one_not_used_for_longest_goes_when_there_are_too_many()
    {
        var opened = 0;
        using var handles = Handles(path => Open(path, ref opened), 3);
        var paths = Enumerable.Range(0, 4).Select(number => Make($"layer{number}", $"{number}")).ToList();
        foreach (var path in paths[..3]) Content(handles, path);
        Content(handles, paths[0]);
        Assert.Equal("3", Content(handles, paths[3]));
        Assert.Equal((3, 4), (handles.Count, opened));
        Assert.Equal("0", Content(handles, paths[0]));
        Assert.Equal(4, opened);
        Assert.Equal("1", Content(handles, paths[1]));
        Assert.Equal((3, 5), (handles.Count, opened));
    }

    [Fact]
    public void None_is_kept_where_none_may_be()
    {
        using var handles = Handles(Open, 0);
        var path = Make("a", "1");
        SafeFileHandle used;
        using (var use = handles.Take(path)) used = use.Directory;
        Assert.True(used.IsClosed);
        Assert.Equal(0, handles.Count);
    }

    [Theory]
    [InlineData("forgotten")]
    [InlineData("ended")]
    [InlineData("pushed out")]
    public void Who_uses_one_keeps_it_and_the_last_closes_it(string how)
    {
        using var handles = Handles(Open, 1);
        var path = Make("a", "1");
        SafeFileHandle used;
        using (var first = handles.Take(path))
        using (var second = handles.Take(path))
        {
            Assert.Same(first.Directory, second.Directory);
            used = first.Directory;
            if (how == "forgotten") handles.Forget(path);
            else if (how == "ended") handles.Dispose();
            else Content(handles, Make("b", "2"));
            Assert.Equal("1", Content(second.Directory));
        }

        // The kernel closed it, and so did the runtime, which refuses it from now on.
        Assert.Throws<ObjectDisposedException>(() => Libc.FStat(used));
        Assert.Equal(how == "pushed out" ? 1 : 0, handles.Count);
    }

    [Fact]
    public void After_the_end_nothing_is_kept()
    {
        var handles = Handles(Open, 4);
        handles.Dispose();
        Assert.Equal("1", Content(handles, Make("a", "1")));
        Assert.Equal(0, handles.Count);
    }

    [Fact]
    public async Task Many_threads_get_what_is_there_while_others_forget_it()
    {
        using var handles = Handles(Open, 2);
        var paths = Enumerable.Range(0, 5).Select(number => Make($"layer{number}", $"{number}")).ToList();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(() =>
        {
            for (var round = 0; round < 500; round++)
            {
                var number = (round * (worker + 1)) % paths.Count;
                Assert.Equal($"{number}", Content(handles, paths[number]));
                if (round % 7 == worker) handles.Forget(paths[number]);
            }
        })));
        Assert.InRange(handles.Count, 0, 2);
    }

    [SkippableFact]
    public void A_lower_layer_that_was_made_again_is_mounted_as_it_is_now()
    {
        RequiredTiers.SkipUnlessRoot();
        using var tree = new StoreTree(_store.Path, keep: 8, Later);
        Assert.Equal(Errno.None, tree.TryDetach());
        var mounter = new DescriptorMounter(tree, []);
        var stack = new OverlayStack([Make("upper", "top"), Make("lower", "old", "below")], null, null, MountWords.None);
        for (var round = 0; round < 2; round++) Assert.Equal(["below=old", "content=top"], Files(mounter, stack));
        Directory.Move(_store["lower"], _store["trash"]);
        Make("lower", "new", "below");
        for (var round = 0; round < 2; round++) Assert.Equal(["below=new", "content=top"], Files(mounter, stack));
    }

    private static string[] Files(DescriptorMounter mounter, OverlayStack stack)
    {
        using var view = mounter.View(stack);
        return [.. new[] { "below", "content" }.Select(name => $"{name}={Content(view, name)}")];
    }

    private protected string Make(string layer, string content, string name = "content", string directory = "diff")
    {
        var path = _store[$"{layer}/{directory}"];
        Directory.CreateDirectory(path);
        File.WriteAllText($"{path}/{name}", content);
        LetTimePass(Libc.Stat(_store[layer]).ChangeTime);
        return path;
    }

    /// <summary>Until the file system gives another time than that, as it does once in some milliseconds.</summary>
    private void LetTimePass(TimeSpec since)
    {
        var probe = _store["probe"];
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                File.Delete(probe);
                File.WriteAllText(probe, "");
                return Libc.Stat(probe).ChangeTime != since;
            },
            TimeSpan.FromMinutes(1)));
    }

    private protected static string Content(LayerHandles handles, string path)
    {
        handles.Look();
        using var use = handles.Take(path);
        return Content(use.Directory);
    }

    private static string Content(SafeFileHandle directory, string name = "content")
    {
        using var file = Libc.OpenAt(directory, System.Text.Encoding.ASCII.GetBytes(name), OpenFlags.ReadOnly);
        var buffer = new byte[64];
        return System.Text.Encoding.ASCII.GetString(buffer.AsSpan(0, Libc.ReadFully(file, buffer)));
    }

    private protected static SafeFileHandle Open(string path) => Libc.Open(path, OpenFlags.Path | OpenFlags.Directory);

    private protected static SafeFileHandle Open(string path, ref int opened)
    {
        opened++;
        return Open(path);
    }

    private sealed class Clock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
