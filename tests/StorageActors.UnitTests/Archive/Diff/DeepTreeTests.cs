using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Diff;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Archive.Diff;

/// <summary>Trees deeper than a thread's stack and a process's descriptors would bear if each directory took of them.</summary>
public sealed class DeepTreeTests
{
    private const int Depth = 5000;
    private const int StackSize = 256 << 10;

    [Fact]
    public void Deep_tree_is_measured()
    {
        using var directory = Deep();
        var (_, inodes, content) = OnSmallStack(() => UsageMeter.Measure(directory.Handle));
        Assert.Equal((Depth + 2, 4), (inodes, content));
    }

    [Fact]
    public void Deep_tree_is_listed_and_archived_as_a_layers_changes()
    {
        using var directory = Deep();
        var changes = OnSmallStack(() => NativeChanges.List(directory.Handle, new OverlayWhiteouts(escapes: false), EmptyLowerView.Instance));
        Assert.Equal(Depth + 1, changes.Count);
        Assert.All(changes, change => Assert.Equal(ChangeKind.Added, change.Kind));
        Assert.EndsWith("/d/file", changes[^1].Path, StringComparison.Ordinal);

        var told = new Told();
        var output = ObservedStream.Of(Stream.Null, told);
        var tar = OnSmallStack(() => NativeDiff.Write(directory.Handle, new OverlayWhiteouts(escapes: false), EmptyLowerView.Instance, IdMap.Host, output, CancellationToken.None));
        Assert.True(tar.Entries >= Depth + 1);
        Assert.Equal((tar.Size, tar.Entries), told.Last);
    }

    [Fact]
    public void Deep_trees_are_compared()
    {
        using var old = Deep();
        using var now = Deep("five5");
        var comparison = OnSmallStack(() => new TreeComparison(DirectWhiteouts.Instance, CancellationToken.None).Compare(old.Handle, now.Handle));
        Assert.Equal(Depth + 1, comparison.Count);
        Assert.All(comparison, change => Assert.Equal(ChangeKind.Changed, change.Kind));
        Assert.Equal(comparison.Select(change => change.Path.Length).Order(), comparison.Select(change => change.Path.Length));

        var added = OnSmallStack(() => new TreeComparison(DirectWhiteouts.Instance, CancellationToken.None).Compare(null, now.Handle));
        Assert.All(added, change => Assert.Equal(ChangeKind.Added, change.Kind));
        Assert.Equal(Depth + 1, added.Count);
    }

    [Fact]
    public void Walk_keeps_few_directories_open_and_comes_back_to_each()
    {
        using var directory = Deep();
        using var descent = new DirectoryDescent(directory.Handle);
        for (var i = 0; i < Depth; i++) descent.Enter("d"u8);
        Assert.Equal(Errno.ENOENT, descent.TryEnter("nothing"u8));
        for (var i = 0; i < Depth; i++) descent.Leave();
        Assert.True(Libc.FStat(descent.Current).IsSameFile(Libc.FStat(directory.Handle)));
        Assert.InRange(descent.MostOpen, 2, 40);
    }

    [Fact]
    public void Directory_that_is_moved_away_during_a_walk_ends_it()
    {
        using var directory = Deep();
        using var descent = new DirectoryDescent(directory.Handle);
        for (var i = 0; i < 100; i++) descent.Enter("d"u8);
        // The tenth directory goes elsewhere, with all that is in it.
        using (var above = Libc.OpenDirectory(directory.Path + string.Concat(Enumerable.Repeat("/d", 9)))) Libc.RenameAt2(above, "d"u8, directory.Handle, "elsewhere"u8);
        var error = Assert.Throws<LinuxException>(() =>
        {
            for (var i = 0; i < 100; i++) descent.Leave();
        });
        Assert.Equal(Errno.ESTALE, error.Errno);
    }

    /// <summary>Directories called d in each other, and a file in the last.</summary>
    private static TempDirectory Deep(string content = "four")
    {
        var directory = new TempDirectory();
        SafeFileHandle? current = null;
        for (var i = 0; i < Depth; i++)
        {
            var parent = current ?? directory.Handle;
            Libc.MkdirAt(parent, "d"u8, 0x1ED);
            var next = Libc.OpenDirectoryAt(parent, "d"u8);
            current?.Dispose();
            current = next;
        }

        using (current)
        using (var file = Libc.OpenAt(current!, "file"u8, OpenFlags.WriteOnly | OpenFlags.Create, 0x1A4))
        {
            Libc.WriteAll(file, System.Text.Encoding.ASCII.GetBytes(content));
        }

        return directory;
    }

    private static T OnSmallStack<T>(Func<T> action)
    {
        T? result = default;
        Exception? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    result = action();
                }
                catch (Exception e)
                {
                    failure = e;
                }
            },
            StackSize);
        thread.Start();
        thread.Join();
        return failure is null ? result! : throw new InvalidOperationException("it failed on a small stack", failure);
    }

    private sealed class Told : IExtractionObserver
    {
        internal (long Bytes, long Entries) Last { get; private set; }

        public void Advanced(long bytesRead, long entries) => Last = (bytesRead, entries);
    }
}
