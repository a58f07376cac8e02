using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Archive.Apply;

/// <summary>The thread that fills small files beside the one that makes them: all of them, once, and with every failure told.</summary>
public sealed class FileFinisherTests : IDisposable
{
    /// <summary>More than a pipe holds, so that whoever writes it waits for a reader.</summary>
    private static readonly byte[] MoreThanAPipeHolds = new byte[1 << 20];

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TempDirectory _home = new();
    private readonly SafeFileHandle _directory;
    private readonly InodeWriter _inodes;

    public FileFinisherTests()
    {
        _directory = Libc.OpenDirectory(_home.Path);
        var target = new ExtractTarget { Root = _directory, LayerDirectory = _directory, Whiteouts = LayerLab.OverlayFormat, Below = EmptyLowerView.Instance };
        var warnings = new ApplyWarnings();
        _inodes = new InodeWriter(target, new XattrWriter(target, warnings), warnings, exactModes: true) { MakeRoom = static (_, _) => { } };
    }

    public void Dispose()
    {
        _directory.Dispose();
        _home.Dispose();
    }

    [Theory]
    [InlineData(1)]      // too few to wake the second thread
    [InlineData(63)]
    [InlineData(1000)]   // many times the queue
    public void Every_file_has_its_own_content_and_time_when_all_is_settled(int count)
    {
        var content = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, count).Select(static i => i.ToString("D8", null))));
        var files = new List<SafeFileHandle>();
        using (var finisher = new FileFinisher(_inodes))
        {
            for (var i = 0; i < count; i++)
            {
                files.Add(Create(i));
                finisher.Add(files[i], content.AsMemory(i * 8, 8), Attributes(time: i));
            }

            finisher.Settle();
            Assert.All(files, static file => Assert.True(file.IsClosed));
            for (var i = 0; i < count; i++) Assert.Equal(i.ToString("D8", null), File.ReadAllText(_home[NameOf(i)]));
            Assert.All(Enumerable.Range(0, count), i => Assert.Equal(i, Libc.FStatAt(_directory, Encoding.ASCII.GetBytes(NameOf(i))).ModifyTime.Seconds));
        }
    }

    [Fact]
    public void It_goes_on_after_it_was_settled()
    {
        using var finisher = new FileFinisher(_inodes);
        for (var round = 0; round < 50; round++)
        {
            for (var i = 0; i < 20; i++) finisher.Add(Create((round * 20) + i), "content"u8.ToArray(), Attributes());
            finisher.Settle();
            for (var i = 0; i < 20; i++) Assert.Equal("content", File.ReadAllText(_home[NameOf((round * 20) + i)]));
        }
    }

    [Fact]
    public void Settling_waits_for_the_file_that_the_second_thread_is_at()
    {
        using var finisher = new FileFinisher(_inodes);
        var (read, write) = WithSecondThreadAt(finisher);
        var reader = new Thread(() =>
        {
            var piece = new byte[4096];
            for (var left = MoreThanAPipeHolds.Length - 1; left > 0;) left -= Libc.Read(read, piece);
        });
        reader.Start();
        finisher.Settle();
        Assert.True(write.IsClosed);
        reader.Join();
        read.Dispose();
    }

    [Fact]
    public void A_failure_of_the_second_thread_reaches_who_settles_and_who_adds_afterwards()
    {
        using var finisher = new FileFinisher(_inodes);
        var (read, write) = WithSecondThreadAt(finisher);
        read.Dispose();   // its write fails now
        Assert.Equal(("write", Errno.EPIPE), Failure(finisher.Settle));
        Assert.True(write.IsClosed);

        var next = Create(100);
        Assert.Equal(("write", Errno.EPIPE), Failure(() => finisher.Add(next, default, Attributes())));
        Assert.True(next.IsClosed);
    }

    [Fact]
    public void A_failure_of_the_first_thread_is_its_own()
    {
        using var finisher = new FileFinisher(_inodes);
        File.WriteAllText(_home["readonly"], "");
        var file = Libc.OpenAt(_directory, "readonly"u8, OpenFlags.ReadOnly);
        finisher.Add(file, "content"u8.ToArray(), Attributes());
        Assert.Equal(("write", Errno.EBADF), Failure(finisher.Settle));
        Assert.True(file.IsClosed);
    }

    [Fact]
    public void Disposal_waits_for_the_second_thread_and_closes_what_was_not_begun()
    {
        var finisher = new FileFinisher(_inodes);
        var (read, write) = WithSecondThreadAt(finisher, out var waiting);
        var disposal = new Thread(finisher.Dispose);
        disposal.Start();
        // Whether disposal has begun or not: the second thread is at its file, and ends with it.
        read.Dispose();
        disposal.Join();
        Assert.True(write.IsClosed);
        Assert.All(waiting, static file => Assert.True(file.IsClosed));
    }

    [SkippableFact]
    public void A_full_disk_ends_an_extraction_with_its_errno_and_no_descriptor_stays()
    {
        RequiredTiers.SkipUnlessRoot();
        var small = _home["small"];
        Directory.CreateDirectory(small);
        Libc.Mount("tmpfs", small, "tmpfs", MountFlags.None, "size=256k,nr_inodes=0"u8);
        try
        {
            using var lab = new ExtractionLab(small);
            var tar = new LayerTar();
            for (var i = 0; i < 500; i++) tar.File("f" + i, new string('x', 4000));
            var failure = Assert.Throws<LinuxException>(() => lab.Extract(new MemoryStream(tar.ToArray()), CancellationToken.None));
            Assert.Equal(Errno.ENOSPC, failure.Errno);
            Assert.Equal([lab.Layer, lab.Content], lab.OpenDescriptors());
        }
        finally
        {
            TempDirectory.Unmount(small);
        }
    }

    [SkippableFact]
    public void A_cancelled_extraction_leaves_no_descriptor()
    {
        RequiredTiers.SkipUnlessRoot();
        using var lab = new ExtractionLab(_home.Path);
        using var stop = new CancellationTokenSource();
        var tar = new LayerTar();
        for (var i = 0; i < 3000; i++) tar.File($"d{i % 50}/f{i}", new string('x', 1000));
        using var blob = new InterruptedStream(tar.ToArray(), 2 << 20, () =>
        {
            // The other thread has the first megabyte, which holds this file.
            Assert.True(SpinWait.SpinUntil(() => File.Exists(Path.Combine(lab.Content, "d0", "f100")), Patience));
            stop.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() => lab.Extract(blob, stop.Token));
        Assert.Equal([lab.Layer, lab.Content], lab.OpenDescriptors());
    }

    private static EntryAttributes Attributes(long time = 0) => new(Libc.GetEuid(), Libc.GetEgid(), 0x1a4, new TimeSpec(time, 0), new TimeSpec(time, 0));

    private static string NameOf(int file) => "f" + file;

    private static (string Operation, Errno Errno) Failure(Action action)
    {
        var failure = Assert.Throws<LinuxException>(action);
        return (failure.Operation, failure.Errno);
    }

    private SafeFileHandle Create(int file) => _inodes.CreateFile(_directory, Encoding.ASCII.GetBytes(NameOf(file)), Attributes());

    private (SafeFileHandle Read, SafeFileHandle Write) WithSecondThreadAt(FileFinisher finisher) => WithSecondThreadAt(finisher, out _);

    /// <summary>Gives the finisher a pipe that nobody reads and enough files to wake its thread; that one is in the middle of the pipe on return.</summary>
    private (SafeFileHandle Read, SafeFileHandle Write) WithSecondThreadAt(FileFinisher finisher, out List<SafeFileHandle> waiting)
    {
        var (read, write) = Libc.Pipe2();
        finisher.Add(write, MoreThanAPipeHolds, Attributes());
        waiting = [.. Enumerable.Range(0, 7).Select(Create)];
        foreach (var file in waiting) finisher.Add(file, "content"u8.ToArray(), Attributes());
        Assert.Equal(1, Libc.Read(read, new byte[1]));   // nobody else writes before this thread settles
        return (read, write);
    }

    /// <summary>A layer's directory to extract to, and who has it open.</summary>
    private sealed class ExtractionLab : IDisposable
    {
        private readonly SafeFileHandle _layer;
        private readonly SafeFileHandle _content;

        internal ExtractionLab(string home)
        {
            (Layer, Content) = (Path.Combine(home, "layer"), Path.Combine(home, "layer", "diff"));
            Directory.CreateDirectory(Content);
            (_layer, _content) = (Libc.OpenDirectory(Layer), Libc.OpenDirectory(Content));
        }

        internal string Layer { get; }

        internal string Content { get; }

        internal void Extract(Stream blob, CancellationToken stop)
        {
            var target = new ExtractTarget { Root = _content, LayerDirectory = _layer, Whiteouts = LayerLab.OverlayFormat, Below = EmptyLowerView.Instance };
            LayerExtractor.Extract(blob, target, new ExtractOptions(), observer: null, stop, out _);
        }

        /// <summary>What this process has open there, sorted.</summary>
        internal IReadOnlyList<string> OpenDescriptors() =>
        [
            .. Directory.EnumerateFileSystemEntries("/proc/self/fd").Select(static link => new FileInfo(link).LinkTarget)
                .Where(target => target is not null && (target == Layer || target.StartsWith(Layer + "/", StringComparison.Ordinal))).Order(StringComparer.Ordinal)!,
        ];

        public void Dispose()
        {
            _content.Dispose();
            _layer.Dispose();
        }
    }
}
