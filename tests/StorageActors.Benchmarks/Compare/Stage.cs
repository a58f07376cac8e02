using System.Globalization;
using System.IO.MemoryMappedFiles;
using StorageActors.Benchmarks.Inputs;
using StorageActors.Linux;
using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Compare;

/// <summary>What jobs run on: a file system of their own, inputs, and notes for the reader.</summary>
internal sealed class Stage(CompareOptions options) : IDisposable
{
    private const long Size = 12L << 30;
    private const long WarmMemory = 1L << 30;

    private readonly Lazy<LoopFileSystem> _files = new(() => LoopFileSystem.Create(options.FileSystem, Size));
    private readonly List<string> _notes = [];
    private int _directories;

    /// <summary>Rounds that count.</summary>
    internal int Runs => options.Runs;

    /// <summary>Whether only ours takes part.</summary>
    internal bool IsAlone => options.Alone;

    /// <summary>The kind of file system that stores lie on.</summary>
    internal FileSystemKind FileSystem => options.FileSystem;

    /// <summary>How long a job goes on that has no other end.</summary>
    internal TimeSpan Duration => TimeSpan.FromSeconds(options.Seconds);

    /// <summary>How many there are of what a job counts, unless the user says otherwise.</summary>
    internal int CountOr(int usual) => options.Count ?? usual;

    /// <summary>Where stores lie.</summary>
    internal string Root => _files.Value.Root;

    /// <summary>The layers and images that are worked on.</summary>
    internal LayerInputs Inputs { get; } = new();

    /// <summary>Says something below the tables, once.</summary>
    internal void Note(string text)
    {
        if (!_notes.Contains(text, StringComparer.Ordinal)) _notes.Add(text);
    }

    internal IReadOnlyList<string> TakeNotes()
    {
        var taken = _notes.ToArray();
        _notes.Clear();
        return taken;
    }

    /// <summary>The contestants whose programs are here; of the others the reader is told.</summary>
    internal IReadOnlyList<Contestant> Present(params IEnumerable<(string? Program, Contestant Contestant)> all)
    {
        var present = new List<Contestant>();
        foreach (var (program, contestant) in all)
        {
            if (program is null || Command.Find(program) is not null) present.Add(contestant);
            else Note($"{contestant.Name} is left out: {program} is not installed.");
        }

        return present;
    }

    /// <summary>A new directory on the file system.</summary>
    internal string NewDirectory()
    {
        var path = Path.Combine(Root, "run-" + (++_directories).ToString(CultureInfo.InvariantCulture));
        return Directory.CreateDirectory(path).FullName;
    }

    /// <summary>Deletes such a directory with all that is mounted in it.</summary>
    internal void Delete(string directory)
    {
        foreach (var mount in MountTable.ReadBelow(directory)) Libc.TryUmount2(mount.Target, UnmountFlags.Detach);
        using var root = Libc.OpenDirectory(Root);
        DirectoryTree.Remove(root, System.Text.Encoding.UTF8.GetBytes(Path.GetFileName(directory)));
    }

    /// <summary>Lets the disk catch up, so that nobody pays for what was written before; and all begin with memory that was just used.</summary>
    internal void Settle()
    {
        if (!_files.IsValueCreated) return;
        using var root = Libc.OpenDirectory(Root);
        Libc.SyncFs(root);
        GC.Collect();
        TouchMemory();
    }

    /// <summary>
    /// The host of a virtual machine takes memory back that has been free for two seconds, and who is the first to use it again waits for each page: a write of
    /// 400 MB takes three times as long. Whose turn it is must not decide that.
    /// </summary>
    private static void TouchMemory()
    {
        if (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes < 8 * WarmMemory) return;
        using var memory = MemoryMappedFile.CreateNew(null, WarmMemory);
        using var view = memory.CreateViewAccessor();
        for (long page = 0; page < WarmMemory; page += Environment.SystemPageSize) view.Write(page, (byte)1);
    }

    public void Dispose()
    {
        if (_files.IsValueCreated) _files.Value.Dispose();
    }
}
