using Microsoft.Win32.SafeHandles;
using StorageActors.Drivers.Mounting;
using StorageActors.Drivers.Overlay;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.DriverContractTests;

/// <summary>Descriptors of layers that are kept open between mounts: never of another directory than the one that has the name now.</summary>
public sealed class LayerHandlesTests : IDisposable
{
    private static readonly TimeProvider Later = new Clock(DateTimeOffset.UtcNow.AddHours(1));

    private readonly TempDirectory _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void A_kept_directory_is_not_opened_again()
    {
        var opened = 0;
        using var handles = new LayerHandles(path => Open(path, ref opened), 4, Later);
        var path = Make("a", "1");
        for (var round = 0; round < 3; round++) Assert.Equal("1", Content(handles, path));
        Assert.Equal((1, 1), (opened, handles.Count));
    }

    [Theory]
    [InlineData("moved away")]
    [InlineData("deleted")]
    [InlineData("content replaced")]
    public void A_layer_made_again_under_the_same_name_is_the_new_one(string how)
    {
        using var handles = new LayerHandles(Open, 4, Later);
        var path = Make("a", "old");
        Assert.Equal("old", Content(handles, path));
        if (how == "moved away") Directory.Move(_store["a"], _store["trash"]);
        else if (how == "deleted") Directory.Delete(_store["a"], recursive: true);
        else Directory.Move(path, path + ".old");

        if (how != "content replaced") Assert.Throws<LinuxException>(() => handles.Take(path));
        Make("a", "new");
        Assert.Equal("new", Content(handles, path));
        Assert.Equal("new", Content(handles, path));
    }

    [Fact]
    public void A_layer_that_changed_just_now_is_not_kept()
    {
        var path = Make("a", "1");
        using var handles = new LayerHandles(Open, 4, new Clock(DateTimeOffset.FromUnixTimeSeconds(Libc.Stat(_store["a"]).ChangeTime.Seconds + 2)));
        Assert.Equal("1", Content(handles, path));
        Assert.Equal(0, handles.Count);
    }

    [Fact]
    public void The_one_not_used_for_longest_goes_when_there_are_too_many()
    {
        var opened = 0;
        using var handles = new LayerHandles(path => Open(path, ref opened), 3, Later);
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
        using var handles = new LayerHandles(Open, 0, Later);
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
        using var handles = new LayerHandles(Open, 1, Later);
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
        var handles = new LayerHandles(Open, 4, Later);
        handles.Dispose();
        Assert.Equal("1", Content(handles, Make("a", "1")));
        Assert.Equal(0, handles.Count);
    }

    [Fact]
    public async Task Many_threads_get_what_is_there_while_others_forget_it()
    {
        using var handles = new LayerHandles(Open, 2, Later);
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

    private string Make(string layer, string content, string name = "content")
    {
        var path = _store[layer + "/diff"];
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

    private static string Content(LayerHandles handles, string path)
    {
        using var use = handles.Take(path);
        return Content(use.Directory);
    }

    private static string Content(SafeFileHandle directory, string name = "content")
    {
        using var file = Libc.OpenAt(directory, System.Text.Encoding.ASCII.GetBytes(name), OpenFlags.ReadOnly);
        var buffer = new byte[64];
        return System.Text.Encoding.ASCII.GetString(buffer.AsSpan(0, Libc.ReadFully(file, buffer)));
    }

    private static SafeFileHandle Open(string path) => Libc.Open(path, OpenFlags.Path | OpenFlags.Directory);

    private static SafeFileHandle Open(string path, ref int opened)
    {
        opened++;
        return Open(path);
    }

    private sealed class Clock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
