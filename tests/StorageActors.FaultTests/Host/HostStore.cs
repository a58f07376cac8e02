using System.Diagnostics;
using System.Text;
using Akka.Configuration;
using StorageActors.Client;
using StorageActors.Engine;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;

namespace StorageActors.FaultTests.Host;

/// <summary>The store under test: its engine, what always lies in it, and what must be true of it when it is at rest.</summary>
internal sealed class HostStore
{
    /// <summary>What one flow writes in the way of a mount.</summary>
    private const string InTheWay = "stray-1";

    private HashSet<string> _layers = [];
    private int _descriptors;
    private StorageEngine? _engine;
    private Process? _copy;

    private readonly string _retry;

    /// <param name="directory">Where it lies.</param>
    /// <param name="isPatient">Whether what is busy for a moment is waited for: beside a test's own processes, which have its descriptors until they are programs.</param>
    private HostStore(string directory, bool isPatient) => (Directory, _retry) = (directory, isPatient ? "times = 200, pause = 100ms, longest-pause = 100ms" : "times = 2, pause = 1ms");

    /// <summary>Everything of the test: the store, what goes in, what comes out.</summary>
    internal string Directory { get; }

    internal string Root => Path.Combine(Directory, "store");

    internal string Input => Path.Combine(Directory, "in");

    internal string Output => Path.Combine(Directory, "out");

    internal StorageClient Client => (_engine ?? throw new InvalidOperationException("no engine runs")).Client;

    /// <summary>Sealed, without parent.</summary>
    internal LayerRecord Base { get; private set; } = null!;

    /// <summary>Sealed, on the base.</summary>
    internal LayerRecord Child { get; private set; } = null!;

    /// <summary>Writable, on the child, with content.</summary>
    internal LayerRecord Work { get; private set; } = null!;

    internal ImageRecord Image { get; private set; } = null!;

    /// <summary>Starts an engine on the store that lies there, or on a new one, with what always lies in it.</summary>
    internal static async Task<HostStore> OpenAsync(string directory, bool isPatient = false)
    {
        var store = new HostStore(directory, isPatient);
        var isNew = !System.IO.Directory.Exists(store.Root);
        if (isNew) await store.WriteInputAsync();
        await store.StartAsync();
        try
        {
            if (isNew) await store.FillAsync();
            else await store.FindAsync();
        }
        catch
        {
            await store.StopAsync();
            throw;
        }

        return store;
    }

    internal async Task StartAsync()
    {
        var config = ConfigurationFactory.ParseString($$"""
            akka.stdout-loglevel = {{Environment.GetEnvironmentVariable("STORAGE_ACTORS_FAULT_LOG") ?? "OFF"}}
            akka.loglevel = {{Environment.GetEnvironmentVariable("STORAGE_ACTORS_FAULT_LOG") ?? "OFF"}}
            storage-actors.root = "{{Root}}"
            storage-actors.retry { {{_retry}} }
            storage-actors.layers.linger-retry = 50ms
            """);
        _engine = await StorageEngine.StartAsync(config);
    }

    internal async Task StopAsync()
    {
        EndCopy();
        var engine = _engine;
        _engine = null;
        if (engine is not null) await engine.DisposeAsync();
    }

    /// <summary>Gives all mounts to another mount namespace, too, for as long as this process lives, at most.</summary>
    internal async Task CopyMountsAsync()
    {
        _copy = Process.Start(new ProcessStartInfo("unshare", ["--mount", "--propagation", "private", "cat"]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true })!;
        // With its answer it has made all of its calls but those on its standard streams, which nobody counts.
        await _copy.StandardInput.WriteLineAsync("there");
        await _copy.StandardInput.FlushAsync();
        if (await _copy.StandardOutput.ReadLineAsync() != "there") throw new InvalidOperationException("there is no other mount namespace");
    }

    internal void EndCopy()
    {
        if (_copy is not { } copy) return;
        _copy = null;
        copy.Kill();
        copy.WaitForExit();
        copy.Dispose();
    }

    internal bool IsRunning => _engine is not null;

    internal async Task<LayerRecord> ApplyAsync(string file, LayerId? parent, string name)
    {
        var item = new StoreProtocol.ChainItem(
            BlobSource.File(Path.Combine(Input, file)), new StoreProtocol.LayerSpec(LayerId.Parse(name), [name + "-name"]), new StoreProtocol.Expectations());
        return (await Client.ApplyAsync(new StoreProtocol.Apply(parent, [item])))[0].Layer;
    }

    /// <summary>A writable layer in which something was written, removed and made again.</summary>
    internal async Task<LayerRecord> WriteLayerAsync(string name)
    {
        var layer = await Client.CreateAsync(Child.Id, new StoreProtocol.LayerSpec(LayerId.Parse(name), [name + "-name"]));
        await using var mount = await Client.MountAsync(layer.Id);
        await File.WriteAllTextAsync(Path.Combine(mount.Path, "written"), new string('w', 20_000));
        File.Delete(Path.Combine(mount.Path, "attributes"));
        System.IO.Directory.Delete(Path.Combine(mount.Path, "opt"), recursive: true);
        System.IO.Directory.CreateDirectory(Path.Combine(mount.Path, "opt", "again"));
        return layer;
    }

    internal async Task ImportAsync() => Image = (await Images.ImageImporter.ImportAsync(
        Client, Images.ImageLocation.Parse($"oci:{Input}/image"), new Images.ImportOptions { Names = ["image:1"] })).Image;

    /// <summary>Puts the image with a document that it did not have.</summary>
    internal Task PutAgainAsync() => Client.PutImageAsync(
        new CatalogProtocol.PutImage(Image.Id, [], Image.Layers, null, [new BigData("note", Guid.NewGuid().ToByteArray())]));

    /// <summary>Remembers what is there now: nothing else may be there after a flow was undone.</summary>
    internal async Task RememberAsync()
    {
        await Client.Channel.AskAsync<StoreProtocol.Collected>(new StoreProtocol.CollectGarbage(Wait: true));
        _layers = await KeysAsync();
        _descriptors = Descriptors().Count;
    }

    /// <summary>What is not as it must be when nothing runs.</summary>
    internal async Task<List<string>> FindFaultsAsync()
    {
        var faults = new List<string>();
        await Client.Channel.AskAsync<StoreProtocol.Collected>(new StoreProtocol.CollectGarbage(Wait: true));
        foreach (var finding in (await Client.Channel.AskAsync<StoreProtocol.Checked>(new StoreProtocol.Check(Full: true))).Findings)
            faults.Add($"check: {finding.Kind} {finding.Subject}: {finding.Message}");
        var layers = (await Client.ListLayersAsync()).Select(static layer => layer.Id.Value).ToHashSet(StringComparer.Ordinal);
        var images = (await Client.ListImagesAsync()).Select(static image => image.Id.Value).ToHashSet(StringComparer.Ordinal);
        faults.AddRange(Names("").Where(static name => !StoreNames.OfRoot.Contains(name)).Select(static name => $"left: {name}"));
        foreach (var place in (string[])["staging", "trash"])
            foreach (var left in Names(place)) faults.Add($"left: {place}/{left}");
        foreach (var name in Names("overlay").Where(name => name != "l" && !layers.Contains(name))) faults.Add($"left: overlay/{name}");
        foreach (var layer in layers) faults.AddRange(Names($"overlay/{layer}").Where(name => name != InTheWay && !StoreNames.OfLayer.Contains(name)).Select(name => $"left: overlay/{layer}/{name}"));
        foreach (var name in Names("images").Where(name => !images.Contains(name))) faults.Add($"left: images/{name}");
        foreach (var image in images) faults.AddRange(Names($"images/{image}").Where(static name => name[0] == '.').Select(name => $"left: images/{image}/{name}"));
        foreach (var link in Names("overlay/l"))
        {
            var target = File.ResolveLinkTarget(Path.Combine(Root, "overlay/l", link), returnFinalTarget: false)!.FullName;
            if (!System.IO.Directory.Exists(target)) faults.Add($"left: overlay/l/{link} leads nowhere");
        }
        var mounts = (await Client.ListMountsAsync()).Select(static mount => mount.Path).ToHashSet(StringComparer.Ordinal);
        foreach (var mount in MountTable.ReadBelow(Root).Where(mount => !mounts.Contains(mount.Target))) faults.Add($"left: a mount at {mount.Target}");
        foreach (var temporary in System.IO.Directory.EnumerateFiles(Root, "*.tmp", SearchOption.AllDirectories)) faults.Add($"left: {temporary}");
        foreach (var output in System.IO.Directory.EnumerateFileSystemEntries(Output)) faults.Add($"left: {output}");
        return faults;
    }

    /// <summary>What is there, or held open, beyond what is remembered.</summary>
    internal async Task<List<string>> FindExtrasAsync()
    {
        var faults = new List<string>();
        var layers = await KeysAsync();
        foreach (var layer in layers.Except(_layers)) faults.Add($"extra layer: {layer}");
        foreach (var layer in _layers.Except(layers)) faults.Add($"lost layer: {layer}");
        var open = Descriptors();
        // Something in the background may be about to close one.
        for (var look = 0; look < 600 && open.Count > _descriptors; look++)
        {
            await Task.Delay(50);
            open = Descriptors();
        }
        if (open.Count > _descriptors) faults.Add($"{open.Count - _descriptors} more descriptors: {string.Join(' ', open.TakeLast(open.Count - _descriptors))}");
        return faults;
    }

    private async Task WriteInputAsync()
    {
        foreach (var path in (string[])[Input, Output]) System.IO.Directory.CreateDirectory(path);
        await File.WriteAllBytesAsync(Path.Combine(Input, "base.tar"), SampleLayers.Base);
        await File.WriteAllBytesAsync(Path.Combine(Input, "child.tar.gz"), SampleLayers.Gzip(SampleLayers.Child));
        SampleLayers.WriteLayout(Path.Combine(Input, "image"));
    }

    private async Task FillAsync()
    {
        Base = await ApplyAsync("base.tar", null, "base");
        Child = await ApplyAsync("child.tar.gz", Base.Id, "child");
        Work = await WriteLayerAsync("work");
        await ImportAsync();
    }

    private async Task FindAsync()
    {
        var layers = (await Client.ListLayersAsync()).ToDictionary(static layer => layer.Id.Value, StringComparer.Ordinal);
        (Base, Child, Work) = (layers["base"], layers["child"], layers["work"]);
        Image = (await Client.ListImagesAsync()).SingleOrDefault()!; // Not there after a death in an import; then the flow's undoing brings it back.
    }

    /// <summary>Layers of an image get new ids with each import.</summary>
    internal async Task<HashSet<string>> KeysAsync() =>
        [.. (await Client.ListLayersAsync()).Select(static layer => layer.Names.Count > 0 ? layer.Id.Value : layer.DiffId?.Value ?? layer.Id.Value)];

    private string[] Names(string directory) =>
        [.. System.IO.Directory.EnumerateFileSystemEntries(Path.Combine(Root, directory)).Select(static path => Path.GetFileName(path))];

    /// <summary>Descriptors of files and mounts; the journal's connections come and go.</summary>
    private List<string> Descriptors()
    {
        var found = new List<string>();
        using var directory = Libc.OpenDirectory("/proc/self/fd");
        foreach (var entry in System.IO.Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            try
            {
                var target = Encoding.UTF8.GetString(Libc.ReadlinkAt(directory, Encoding.UTF8.GetBytes(Path.GetFileName(entry))));
                var isOurs = target.StartsWith(Directory, StringComparison.Ordinal) || target.StartsWith("/store/", StringComparison.Ordinal);
                if ((isOurs && !target.Contains("journal.db", StringComparison.Ordinal)) || target.Contains("fscontext", StringComparison.Ordinal)) found.Add(target);
            }
            catch (LinuxException)
            {
                // Closed meanwhile.
            }
        }
        return found;
    }
}
