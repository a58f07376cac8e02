using Akka.Actor;
using Google.Protobuf;
using StorageActors.Containerd.Wire;
using StorageActors.EndToEndTests.Cli;
using StorageActors.Protocol;
using Xunit;
using static StorageActors.EndToEndTests.Containerd.OpenDoor;

namespace StorageActors.EndToEndTests.Containerd;

/// <summary>Layers that the store itself extracts for containerd.</summary>
public sealed class DifferTests
{
    private const string Gzipped = "application/vnd.oci.image.layer.v1.tar+gzip";
    private const int InvalidArgument = 3, FailedPrecondition = 9, Unimplemented = 12, DataLoss = 15;

    [SkippableFact]
    public async Task A_blob_is_extracted_with_its_digest_and_comes_back_byte_for_byte()
    {
        await using var door = await OpenAsync();
        var tar = Tars.Of(("etc/", ""), ("etc/name", "first"));
        var mounts = await door.PrepareAsync("a");
        var applied = await ApplyAsync(door, mounts, Tars.Gzip(tar));
        Assert.Equal((Tars.Digest(tar), tar.Length, "application/vnd.oci.image.layer.v1.tar"), (applied.Digest, applied.Size, applied.MediaType));
        await door.CommitAsync("a", "one");
        Assert.Equal(applied.Digest, Assert.Single(await door.ListAsync($"labels.\"containerd.io/snapshot.ref\"=={applied.Digest}")).Labels["containerd.io/snapshot.ref"]);

        var record = Assert.Single(await door.Engine.Client.ListLayersAsync());
        Assert.Equal((applied.Digest, applied.Digest), (record.DiffId?.Value, record.ChainId?.Value));
        using var written = new MemoryStream();
        await door.Engine.Client.WriteDiffAsync(record.Id, written);
        Assert.Equal(tar, written.ToArray());
        var found = await door.Engine.Client.Channel.AskAsync<StoreProtocol.Checked>(new StoreProtocol.Check(Full: true));
        Assert.Empty(found.Findings.Select(static finding => finding.ToString()));
        Assert.Equal("first", door.Mounted(await door.PrepareAsync("b", "one"), static path => File.ReadAllText(Path.Combine(path, "etc/name"))));
    }

    [SkippableFact]
    public async Task Layers_that_are_extracted_at_once_delete_what_lies_in_the_layer_they_are_put_on()
    {
        await using var door = await OpenAsync();
        var top = ApplyAsync(door, await door.PrepareAsync("top"), Tars.Gzip(Tars.Of(("d/", ""), ("d/.wh.gone", ""), ("d/new", "2"))));
        var bottom = ApplyAsync(door, await door.PrepareAsync("base"), Tars.Gzip(Tars.Of(("d/", ""), ("d/gone", "1"), ("d/kept", "1"))));
        await Task.WhenAll(top, bottom);
        await door.CommitAsync("base", "one");
        await door.CommitAsync("top", "two", "one");
        var record = (await door.Engine.Client.ListLayersAsync()).Single(static layer => layer.Parent is not null);
        Assert.Equal(Digest.Chain(Digest.Parse((await bottom).Digest), Digest.Parse((await top).Digest)), record.ChainId);
        var view = await door.ViewAsync("v", "two");
        Assert.Equal(["kept", "new"], door.Mounted(view, static path => Directory.EnumerateFiles(Path.Combine(path, "d")).Select(static name => Path.GetFileName(name)!).Order(StringComparer.Ordinal).ToArray()));
    }

    [SkippableFact]
    public async Task One_client_unpacks_several_images_at_once_in_order_and_all_layers_of_one_at_once()
    {
        const int images = 4, layers = 5;
        await using var door = await OpenAsync();
        await Task.WhenAll(Enumerable.Range(0, images).Select(image => image % 2 == 0 ? InOrderAsync(image) : AtOnceAsync(image)));
        Assert.Equal(images * layers, (await door.ListAsync("kind==committed")).Count);
        Assert.Empty(await door.ListAsync("kind==active"));
        for (var image = 0; image < images; image++)
        {
            var view = await door.ViewAsync($"v{image}", NameOf(image, layers - 1));
            string[] expected = [.. Enumerable.Range(0, layers).Select(static layer => $"kept-{layer}"), $"replaced-{layers - 1}"];
            Assert.Equal(expected, door.Mounted(view, static path => Directory.EnumerateFiles(Path.Combine(path, "d")).Select(static name => Path.GetFileName(name)!).Order(StringComparer.Ordinal).ToArray()));
            Assert.Equal($"{image}", door.Mounted(view, static path => File.ReadAllText(Path.Combine(path, "d/kept-0"))));
        }

        async Task InOrderAsync(int image)
        {
            for (var layer = 0; layer < layers; layer++)
            {
                await ApplyAsync(door, await door.PrepareAsync($"{image}/{layer}", layer == 0 ? "" : NameOf(image, layer - 1)), LayerOf(image, layer));
                await door.CommitAsync($"{image}/{layer}", NameOf(image, layer));
            }
        }

        async Task AtOnceAsync(int image)
        {
            await Task.WhenAll(Enumerable.Range(0, layers).Select(async layer => await ApplyAsync(door, await door.PrepareAsync($"{image}/{layer}"), LayerOf(image, layer))));
            for (var layer = 0; layer < layers; layer++) await door.CommitAsync($"{image}/{layer}", NameOf(image, layer), layer == 0 ? "" : NameOf(image, layer - 1));
        }

        static string NameOf(int image, int layer) => $"image {image}, layer {layer}";

        // Each deletes what the one below it has made.
        static byte[] LayerOf(int image, int layer) => Tars.Gzip(Tars.Of(
            [("d/", ""), ($"d/kept-{layer}", $"{image}"), ($"d/replaced-{layer}", $"{image}"), .. layer == 0 ? Array.Empty<(string, string)>() : [($"d/.wh.replaced-{layer - 1}", "")]]));
    }

    [SkippableFact]
    public async Task What_was_changed_after_it_was_extracted_has_no_digest()
    {
        await using var door = await OpenAsync();
        var mounts = await door.PrepareAsync("a");
        await ApplyAsync(door, mounts, Tars.Gzip(Tars.Of(("f", "1"))));
        await File.WriteAllTextAsync(Path.Combine(UpperOf(mounts), "f"), "2");
        await door.CommitAsync("a", "one");
        var record = Assert.Single(await door.Engine.Client.ListLayersAsync());
        Assert.Equal((LayerKind.Sealed, null, null), (record.Kind, record.DiffId, record.ChainId));
        Assert.Equal("2", door.Mounted(await door.ViewAsync("v", "one"), static path => File.ReadAllText(Path.Combine(path, "f"))));
        Assert.NotNull((await door.Engine.Client.SealAsync(record.Id)).DiffId);
    }

    [SkippableFact]
    public async Task Another_differ_is_asked_before_anything_is_done()
    {
        await using var door = await OpenAsync();
        var mounts = await door.PrepareAsync("a");
        var blob = Blob(door, Tars.Gzip(Tars.Of(("f", "1"))));
        Assert.Equal(Unimplemented, await StatusAsync(door, mounts, blob, type: "application/vnd.oci.image.layer.v1.tar+encrypted"));
        Assert.Equal(Unimplemented, await StatusAsync(door, mounts, Tars.Digest([1, 2, 3])));
        Assert.Equal(Unimplemented, await StatusAsync(door, [new Mount { Type = "overlay", Source = "overlay", Options = { "upperdir=/etc" } }], blob));
        Assert.Equal(Unimplemented, await StatusAsync(door, [], blob));
        Assert.Equal(Unimplemented, await door.StatusAsync(Diff + "Diff", new DiffRequest()));
        Assert.Equal(InvalidArgument, await StatusAsync(door, mounts, "sha256:../../etc/passwd"));
        Assert.Equal(InvalidArgument, await door.StatusAsync(Diff + "Apply", new ApplyRequest()));
        await ApplyAsync(door, mounts, Tars.Gzip(Tars.Of(("f", "1"))));
        await door.CommitAsync("a", "one");
        Assert.Equal(Unimplemented, await StatusAsync(door, mounts, blob));
    }

    [SkippableFact]
    public async Task A_layer_that_was_not_extracted_to_its_end_is_neither_used_nor_filled_again()
    {
        await using var door = await OpenAsync();
        var mounts = await door.PrepareAsync("a");
        var blob = Tars.Gzip(Tars.Of(("f", "1")));
        var digest = Blob(door, blob);
        await File.WriteAllBytesAsync(Path.Combine(door.Content, "blobs", "sha256", digest[7..]), blob[..^20]);
        Assert.True(await StatusAsync(door, mounts, digest) is InvalidArgument or DataLoss);
        Blob(door, blob);
        Assert.Equal(FailedPrecondition, await StatusAsync(door, mounts, digest));
        Assert.Equal(FailedPrecondition, await door.StatusAsync("Commit", Commit("a", "one")));
        await door.RemoveAsync("a");
        await ApplyAsync(door, await door.PrepareAsync("a"), blob);

        await door.RestartAsync();   // Nobody can say any more what is open.
        Assert.Equal(FailedPrecondition, await door.StatusAsync("Commit", Commit("a", "one")));
        await door.RemoveAsync("a");
        Assert.Empty(await door.ListAsync());
    }

    [SkippableFact]
    public async Task A_caller_that_goes_away_stops_the_extraction()
    {
        await using var door = await OpenAsync();
        var digest = Blob(door, Tars.Large(96));
        // An extraction that is quicker than its caller is no case of this: it is done again.
        while (!await IsStoppedAsync(door, digest)) await door.RemoveAsync("a");
        Assert.Equal(FailedPrecondition, await door.StatusAsync("Commit", Commit("a", "one")));
        await door.RemoveAsync("a");
    }

    /// <summary>Whether an extraction whose caller goes away in its midst has failed; otherwise it had come to its end before.</summary>
    private static async Task<bool> IsStoppedAsync(OpenDoor door, string digest)
    {
        var mounts = await door.PrepareAsync("a");
        using var gone = new CancellationTokenSource();
        var ended = new TaskCompletionSource<StagingProgress>(TaskCreationOptions.RunContinuationsAsynchronously);
        var watcher = door.Engine.System.ActorOf(Props.Create(() => new Watcher(ended, gone)));
        door.Engine.System.EventStream.Subscribe(watcher, typeof(StagingProgress));
        var call = door.Client.CallAsync(Diff + "Apply", Request(mounts, digest, "application/vnd.oci.image.layer.v1.tar").ToByteArray(), stop: gone.Token);
        await ((Task)call).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var phase = (await ended.Task.WaitAsync(TimeSpan.FromMinutes(5))).Phase;
        door.Engine.System.Stop(watcher);
        Assert.True(phase == StagingPhase.Done || call.IsCanceled, "an extraction failed whose caller was there");
        return phase == StagingPhase.Failed;
    }

    private static async Task<BlobDescriptor> ApplyAsync(OpenDoor door, IReadOnlyList<Mount> mounts, byte[] blob) =>
        (await door.CallAsync<ApplyResponse>(Diff + "Apply", Request(mounts, Blob(door, blob), Gzipped))).Applied;

    private static Task<int> StatusAsync(OpenDoor door, IReadOnlyList<Mount> mounts, string digest, string type = Gzipped) =>
        door.StatusAsync(Diff + "Apply", Request(mounts, digest, type));

    private static ApplyRequest Request(IReadOnlyList<Mount> mounts, string digest, string type) =>
        new() { Diff = new BlobDescriptor { Digest = digest, MediaType = type }, Mounts = { mounts } };

    /// <summary>Puts a blob where containerd has it.</summary>
    private static string Blob(OpenDoor door, byte[] blob)
    {
        var digest = Tars.Digest(blob);
        File.WriteAllBytes(Path.Combine(door.Content, "blobs", "sha256", digest[7..]), blob);
        return digest;
    }

    /// <summary>Lets the caller go as soon as the extraction has begun, and tells how that ended.</summary>
    private sealed class Watcher : ReceiveActor
    {
        public Watcher(TaskCompletionSource<StagingProgress> ended, CancellationTokenSource gone) => Receive<StagingProgress>(progress =>
        {
            if (progress.Phase is StagingPhase.Done or StagingPhase.Failed) ended.TrySetResult(progress);
            else if (progress.BytesRead > 0) gone.Cancel();
        });
    }
}
