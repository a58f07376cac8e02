using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using StorageActors.Archive.Apply;
using StorageActors.Drivers;
using StorageActors.EngineTests.Support;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.EngineTests.Flows;

/// <summary>
/// What outlives an engine in tests of one store: the mounts that a kernel would have, the gates at which extractions wait, and counts of what was done.
/// </summary>
internal sealed class DirectoryWorld
{
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiting = [];
    private int _running;

    internal ConcurrentDictionary<string, MountMode> Mounts { get; } = new(StringComparer.Ordinal);

    internal ConcurrentDictionary<string, TaskCompletionSource> Gates { get; } = new(StringComparer.Ordinal);

    /// <summary>Texts of the blobs that were extracted, in the order in which they began.</summary>
    internal ConcurrentQueue<string> Extracted { get; } = new();

    internal int MostAtOnce { get; private set; }

    /// <summary>Where the driver says that it keeps a name for each layer.</summary>
    internal string? NamesHome { get; set; }

    /// <summary>How often it was asked to recover.</summary>
    internal int Recoveries { get; set; }

    /// <summary>What a recovery fails with.</summary>
    internal Exception? RecoveryTrouble { get; set; }

    /// <summary>Called at the begin of an operation (<c>mount</c>, <c>unmount</c>, <c>verify</c>, …) on a layer; what it throws is the driver's failure.</summary>
    internal Action<string, LayerId>? Trouble { get; set; }

    /// <summary>Lets the extractions pass that wait at a gate, and those that will come to it.</summary>
    internal void Open(string gate) => GateOf(gate).TrySetResult();

    internal TaskCompletionSource GateOf(string gate) => Gates.GetOrAdd(gate, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));

    /// <summary>Completes when so many extractions have begun in all.</summary>
    internal Task ExtractionsAsync(int count)
    {
        lock (Gates)
        {
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (Extracted.Count >= count) reached.SetResult();
            else _waiting.Add((count, reached));
            return reached.Task.WaitAsync(Patient.Limit);
        }
    }

    internal void Enter(string text)
    {
        lock (Gates)
        {
            MostAtOnce = Math.Max(MostAtOnce, ++_running);
            Extracted.Enqueue(text);
            foreach (var (_, reached) in _waiting.Where(one => one.Count <= Extracted.Count)) reached.TrySetResult();
        }
    }

    internal void Leave()
    {
        lock (Gates) _running--;
    }
}

/// <summary>
/// A driver over plain directories, for tests of what the engine does around it. A blob is its own tar: its bytes are the layer's one file. A text that begins
/// with <c>fail:</c> is refused, one with <c>hold:NAME:</c> waits until that gate opens.
/// </summary>
internal sealed class DirectoryDriver(string root, DirectoryWorld world, DriverCapabilities capabilities) : ILayerDriver
{
    internal const DriverCapabilities All = DriverCapabilities.Rebase | DriverCapabilities.NativeDiff | DriverCapabilities.KernelMount | DriverCapabilities.ReadOnlyMounts;

    public string Name => "directories";

    public DriverCapabilities Capabilities { get; } = capabilities;

    public IReadOnlyList<StoreFact> Facts { get; } = [new StoreFact("driver", "kind", "plain directories")];

    public void Begin(StagedLayer staged)
    {
        if (staged.Parents is null && !Capabilities.HasFlag(DriverCapabilities.Rebase)) throw new InvalidOperationException("the parents are needed");
        Directory.CreateDirectory(Path.Combine(staged.Path, "diff"));
        if (staged.Parents is not null) WriteParents(staged);
    }

    public ExtractResult Extract(StagedLayer staged, Stream blob, ExtractOptions options, IExtractionObserver? observer, CancellationToken stop)
    {
        var content = new MemoryStream();
        blob.CopyTo(content);
        var text = Encoding.UTF8.GetString(content.ToArray());
        world.Enter(text);
        try
        {
            observer?.Advanced(content.Length, 1);
            Check(text, content.ToArray(), options);
            if (text.StartsWith("hold:", StringComparison.Ordinal)) world.GateOf(text.Split(':')[1]).Task.WaitAsync(stop).GetAwaiter().GetResult();
            File.WriteAllBytes(ContentOf(staged.Path), content.ToArray());
            var digest = Digest.Of(content.ToArray());
            File.WriteAllText(Path.Combine(staged.Path, "digest"), digest.Value);
            return new ExtractResult(digest, digest, content.Length, content.Length, LayerCompression.None, 1, [0], [0], []);
        }
        finally
        {
            world.Leave();
        }
    }

    public IReadOnlyList<string> Rebase(StagedLayer staged)
    {
        foreach (var parent in staged.Parents!)
        {
            if (!File.Exists(Path.Combine(parent.Path, "parents"))) throw new InvalidOperationException($"{parent.Path} is not complete");
        }

        WriteParents(staged);
        return [];
    }

    public void Finish(StagedLayer staged)
    {
        var owner = Guid.NewGuid().ToString();
        File.WriteAllText(Path.Combine(staged.Path, "owner"), owner);
        File.WriteAllText(LinkOf(staged.Id), owner);
    }

    /// <summary>Of a staged layer that was given up, the id may be another one's by now, and the link with it.</summary>
    public void Retire(LayerLocation layer)
    {
        Unmount(layer, force: true);
        var (owner, link) = (Path.Combine(layer.Path, "owner"), LinkOf(layer.Id));
        if (File.Exists(owner) && File.Exists(link) && File.ReadAllText(link) == File.ReadAllText(owner)) File.Delete(link);
    }

    public ActiveMount Mount(MountRequest request)
    {
        world.Trouble?.Invoke("mount", request.Layer.Id);
        if (request.Parents.Any(static parent => !Directory.Exists(parent.Path))) throw Refuse(StorageErrorCode.Damaged, "mount", "a parent is missing");
        var path = MountPointOf(request.Layer);
        var mode = world.Mounts.GetOrAdd(path, request.Mode);
        return new ActiveMount(path, mode);
    }

    public void Unmount(LayerLocation layer, bool force)
    {
        world.Trouble?.Invoke("unmount", layer.Id);
        world.Mounts.TryRemove(MountPointOf(layer), out _);
    }

    public ActiveMount? FindMount(LayerLocation layer) =>
        Capabilities.HasFlag(DriverCapabilities.KernelMount) && world.Mounts.TryGetValue(MountPointOf(layer), out var mode) ? new ActiveMount(MountPointOf(layer), mode) : null;

    public void TryMount(LayerLocation layer, IReadOnlyList<LayerLocation> parents)
    {
        world.Trouble?.Invoke("try mount", layer.Id);
        if (parents.Prepend(layer).Any(static one => !Directory.Exists(one.Path))) throw Refuse(StorageErrorCode.NotFound, "mount", "a layer is missing");
    }

    public IReadOnlyList<MountStep> Describe(MountRequest request) => [new MountStep("bind", request.Layer.Path, [])];

    public WrittenTar Seal(LayerLocation layer, IReadOnlyList<LayerLocation> parents, IExtractionObserver? observer, CancellationToken stop)
    {
        var tar = Read(layer);
        observer?.Advanced(tar.Content.Length, 0);
        File.WriteAllText(Path.Combine(layer.Path, "digest"), tar.Digest.Value);
        return new WrittenTar(tar.Digest, tar.Content.Length, 1, [0], [0], []);
    }

    public WrittenTar WriteDiff(DiffRequest request, Stream target, CancellationToken stop)
    {
        world.Trouble?.Invoke("diff", request.Layer.Id);
        var (content, digest) = Read(request.Layer);
        target.Write(content);
        return new WrittenTar(digest, content.Length, 1, [0], [0], []);
    }

    public IReadOnlyList<LayerChange> Changes(DiffRequest request) => [new LayerChange(ChangeKind.Added, "/content")];

    public ContentUsage Measure(LayerLocation layer) => new(Read(layer).Content.Length, 1, Read(layer).Content.Length)
    {
        LastChange = Libc.TryStat(ContentOf(layer.Path), out var status) == Errno.None ? status.ChangeTime : null,
    };

    public IReadOnlyList<string> Verify(LayerLocation layer, IReadOnlyList<LayerLocation> parents, bool full, CancellationToken stop)
    {
        world.Trouble?.Invoke("verify", layer.Id);
        stop.ThrowIfCancellationRequested();
        return Read(layer).Digest.Value == File.ReadAllText(Path.Combine(layer.Path, "digest")) ? [] : ["content: another digest"];
    }

    public string? NamesHome => world.NamesHome;

    public IReadOnlyList<string> Recover(IReadOnlyCollection<LayerId> layers)
    {
        world.Recoveries++;
        if (world.RecoveryTrouble is { } trouble) throw trouble;
        var dangling = Directory.GetFiles(root, "link-*").Where(link => !layers.Contains(LayerId.Parse(Path.GetFileName(link)["link-".Length..]))).ToList();
        foreach (var link in dangling) File.Delete(link);
        return dangling;
    }

    public void Dispose()
    {
    }

    private static void Check(string text, byte[] content, ExtractOptions options)
    {
        if (text.StartsWith("fail:", StringComparison.Ordinal)) throw Refuse(StorageErrorCode.BadInput, "extract", text);
        if (text.StartsWith("defect:", StringComparison.Ordinal)) throw new InvalidOperationException(text);
        if (options.ExpectedDiffId is { } expected && expected != Digest.Of(content)) throw Refuse(StorageErrorCode.DigestMismatch, "extract", "another digest");
        if (content.Length > options.MaximumSize) throw Refuse(StorageErrorCode.LimitExceeded, "extract", "too large");
    }

    private string LinkOf(LayerId layer) => Path.Combine(root, "link-" + layer.Value);

    private static void WriteParents(StagedLayer staged) => File.WriteAllLines(Path.Combine(staged.Path, "parents"), staged.Parents!.Select(static parent => parent.Id.Value));

    private static (byte[] Content, Digest Digest) Read(LayerLocation layer)
    {
        var path = ContentOf(layer.Path);
        var content = File.Exists(path) ? File.ReadAllBytes(path) : [];
        return (content, Digest.FromBytes(SHA256.HashData(content)));
    }

    private static string ContentOf(string layer) => Path.Combine(layer, "diff", "content");

    private static string MountPointOf(LayerLocation layer) => Path.Combine(layer.Path, "merged");

    private static PermanentDriverException Refuse(StorageErrorCode code, string operation, string what) => new(new StorageError(code, operation, what));
}
