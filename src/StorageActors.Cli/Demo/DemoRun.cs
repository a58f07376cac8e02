using System.Diagnostics;
using StorageActors.Cli.Output;
using StorageActors.Client;
using StorageActors.Images;
using StorageActors.Protocol;

namespace StorageActors.Cli.Demo;

/// <summary>What the demo found, for <c>--json</c>.</summary>
internal sealed record DemoReport(
    string Root, string Driver, Digest Manifest, Digest Exported, bool Equal, int Layers, long Bytes, IReadOnlyList<DemoStep> Steps);

/// <summary>The whole main job on a real image: import, stack, mount, write, compare, commit, export, remove.</summary>
internal sealed class DemoRun(StorageClient store, string root, Func<Func<IProgress<ImportProgress>, Task>, Task> withProgress, Action<string> tell)
{
    private const int Shown = 8;
    private const string Dotnet = "usr/share/dotnet";
    private readonly Timings _timings = new(tell);

    internal Timings Timings => _timings;

    /// <summary>Does it all. What is left afterwards is an empty store, unless something threw.</summary>
    internal async Task<DemoReport> RunAsync(CancellationToken stop)
    {
        var info = await store.Channel.AskAsync<StoreProtocol.Info>(new StoreProtocol.GetInfo(), stop);
        tell($"driver {info.Driver}, root {root}");

        var source = new DemoImage(Path.Combine(root, "image"));
        var built = await _timings.RunAsync("build an image of this .NET", () => source.BuildAsync(stop), static layers => layers.Sum(static layer => layer.Size));
        foreach (var layer in built) tell($"    {layer.Blob.MediaType,-44} {Human.Size(layer.Blob.Size),10}, unpacked {Human.Size(layer.Size)}");

        Images.ImportResult imported = null!;
        var location = new ImageLocation(ImageFormat.OciLayout, source.Layout, "demo");
        await _timings.RunAsync(
            "import it",
            () => withProgress(async progress =>
                imported = await ImageImporter.ImportAsync(store, location, new ImportOptions { Names = ["demo:latest"] }, progress, stop)),
            built.Sum(static layer => layer.Size));
        await _timings.RunAsync(
            "import it again, nothing is extracted twice",
            () => ImageImporter.ImportAsync(store, location, new ImportOptions { Names = ["demo:latest"] }, null, stop));

        var container = await UseAsync(imported.Image, stop);
        var exported = await ExportAsync(imported.Image, source, built, stop);
        await RemoveAsync(imported.Image, container, stop);
        return new DemoReport(
            root, info.Driver, source.Manifest, exported, exported == source.Manifest, built.Count, built.Sum(static layer => layer.Size), _timings.Steps);
    }

    private async Task<LayerRecord> UseAsync(ImageRecord image, CancellationToken stop)
    {
        var layer = await _timings.RunAsync("create a writable layer", () => store.CreateAsync(image.Layers[^1], new() { Names = ["container"] }, stop));
        await TellTreeAsync(stop);
        var lease = await _timings.RunAsync("mount it", () => store.MountAsync(layer.Id, stop: stop));
        await using (lease)
        {
            tell($"    at {lease.Path} ({lease.Acquired.Mode})");
            await _timings.RunAsync("run a program from the mount", () => RunFromAsync(lease.Path, stop));
            await _timings.RunAsync("write to it", () => WriteAsync(lease.Path, stop));
            var changes = await _timings.RunAsync("list its changes", () => store.ChangesAsync(layer.Id, stop: stop));
            foreach (var change in changes.Take(Shown)) tell($"    {change.Kind.ToString()[0]} {change.Path}");
            if (changes.Count > Shown) tell($"    and {changes.Count - Shown} more");
            await _timings.RunAsync("unmount it", () => lease.ReleaseAsync(stop));
        }

        var @sealed = await _timings.RunAsync("commit it", () => store.SealAsync(layer.Id, stop: stop), static layer => layer.Size);
        var tar = await _timings.RunAsync("write its tar", () => DigestAsync(@sealed.Id, stop), static written => written.Size);
        Expect(tar.DiffId == @sealed.DiffId, "the tar of the committed layer has its digest");
        return @sealed;
    }

    private async Task<Digest> ExportAsync(ImageRecord image, DemoImage source, IReadOnlyList<DemoLayer> built, CancellationToken stop)
    {
        var target = new ImageLocation(ImageFormat.OciLayout, Path.Combine(root, "export"), "demo");
        var exported = await _timings.RunAsync(
            "export the image", () => ImageExporter.ExportAsync(store, image, target, stop), _ => built.Sum(static layer => layer.Blob.Size));
        foreach (var layer in built)
        {
            var original = new FileInfo(source.BlobPath(layer.Blob.Digest)).Length;
            Expect(original == new FileInfo(Path.Combine(target.Path, "blobs/sha256", layer.Blob.Digest.Hex)).Length, "each exported blob is as long as the original");
        }

        await _timings.RunAsync("write each layer's tar again", async () =>
        {
            foreach (var (id, layer) in image.Layers.Zip(built)) Expect((await DigestAsync(id, stop)).DiffId == layer.DiffId, "each layer comes back byte for byte");
        }, built.Sum(static layer => layer.Size));
        tell($"    manifest as built    {source.Manifest}");
        tell($"    manifest as exported {exported.Manifest}");
        Expect(exported.Manifest == source.Manifest, "the exported manifest is the one that was imported");
        return exported.Manifest;
    }

    private async Task RemoveAsync(ImageRecord image, LayerRecord container, CancellationToken stop)
    {
        await _timings.RunAsync("remove the layer and the image", async () =>
        {
            await store.RemoveAsync(container.Id, stop: stop);
            await store.RemoveImageAsync(image.Id, stop: stop); // A rename each; the bytes are deleted behind it.
        });
        var findings = await _timings.RunAsync(
            "check the store", async () => await store.CheckAsync(full: true, stop: stop));
        foreach (var finding in findings) tell($"    {finding.Kind} {finding.Subject}: {finding.Message}");
        Expect(findings.Count == 0, "the check finds nothing");
        Expect((await store.ListLayersAsync(stop)).Count == 0, "no layer is left");
        Expect((await store.ListMountsAsync(stop)).Count == 0, "no mount is left");
    }

    private async Task TellTreeAsync(CancellationToken stop) =>
        LayerTree.Write(await store.ListLayersAsync(stop), LayerTree.Describe, line => tell("    " + line));

    private async Task RunFromAsync(string mount, CancellationToken stop)
    {
        using var program = new Process();
        program.StartInfo = new ProcessStartInfo(Path.Combine(mount, Dotnet, "dotnet"), ["--list-runtimes"])
        {
            UseShellExecute = false, RedirectStandardOutput = true, Environment = { ["DOTNET_ROOT"] = Path.Combine(mount, Dotnet) },
        };
        program.Start();
        var output = program.StandardOutput.ReadToEndAsync(stop);
        await program.WaitForExitAsync(stop);
        foreach (var line in (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries)) tell("    " + line);
        Expect(program.ExitCode == 0, "the .NET inside the mount runs");
    }

    private static async Task WriteAsync(string mount, CancellationToken stop)
    {
        Directory.CreateDirectory(Path.Combine(mount, "srv/data"));
        for (var i = 0; i < 200; i++) await File.WriteAllTextAsync(Path.Combine(mount, $"srv/data/file-{i:000}"), $"content {i}\n", stop);
        await File.AppendAllTextAsync(Path.Combine(mount, "etc/os-release"), "CHANGED=yes\n", stop);
        Directory.Delete(Path.Combine(mount, Dotnet, "host"), recursive: true);
    }

    private async Task<StoreProtocol.DiffWritten> DigestAsync(LayerId layer, CancellationToken stop)
    {
        using var digest = new DigestingStream(Stream.Null);
        var written = await store.WriteDiffAsync(layer, digest, stop: stop);
        Expect(digest.Digest == written.DiffId && digest.Length == written.Size, "what was written is what arrived");
        return written;
    }

    private static void Expect(bool holds, string what)
    {
        if (!holds) throw new StorageException(new StorageError(StorageErrorCode.Internal, "demo", $"the demo expects that {what}, and that is not so"));
    }
}
