using Akka.Actor;
using StorageActors.Engine;
using StorageActors.Linux;
using StorageActors.TestSupport;
using StorageActors.Trash;

namespace StorageActors.CrashTests.Checking;

/// <summary>What may not be left behind: anything in the store's directories that belongs to no layer and no image, and mounts that nobody holds.</summary>
internal static class Leftovers
{
    internal static async Task FindAsync(StorageEngine engine, Inspection inspection, List<string> violations)
    {
        var root = inspection.Root;
        var emptied = await engine.System.ActorSelection("/user/storage/trash").Ask<TrashProtocol.Emptied>(new TrashProtocol.Empty(), TimeSpan.FromMinutes(3)).ConfigureAwait(false);
        if (emptied.Left != 0) violations.Add($"{emptied.Left} trees cannot be deleted from the trash");
        violations.AddRange(NamesIn(root, "").Where(static name => !StoreNames.OfRoot.Contains(name)).Select(static name => $"left behind: {name}"));
        Expect(violations, "staging", NamesIn(root, "staging"), []);
        Expect(violations, "trash", NamesIn(root, "trash"), []);

        var layers = (await engine.Client.ListLayersAsync().ConfigureAwait(false)).Select(static layer => layer.Id.Value).ToList();
        Expect(violations, "overlay", NamesIn(root, "overlay"), layers.Append("l"));
        foreach (var layer in layers)
        {
            foreach (var name in NamesIn(root, $"overlay/{layer}").Where(name => !StoreNames.OfLayer.Contains(name))) violations.Add($"left behind: overlay/{layer}/{name}");
        }

        Expect(violations, "overlay/l", NamesIn(root, "overlay/l").Select(name => File.ResolveLinkTarget($"{root}/overlay/l/{name}", returnFinalTarget: false)!.FullName), layers.Select(layer => $"{root}/overlay/{layer}/diff"));

        var images = await engine.Client.ListImagesAsync().ConfigureAwait(false);
        Expect(violations, "images", NamesIn(root, "images"), images.Select(static image => image.Id.Value));
        foreach (var image in images)
        {
            var left = NamesIn(root, $"images/{image.Id}").Where(name => name is not ("image.json" or "blobs") && name[0] == '.');
            violations.AddRange(left.Select(name => $"left behind: images/{image.Id}/{name}"));
            Expect(violations, $"blobs of image {image.Id}", NamesIn(root, $"images/{image.Id}/blobs"), image.Blobs?.Select(static blob => blob.Hex) ?? []);
        }

        var mounts = await engine.Client.ListMountsAsync().ConfigureAwait(false);
        Expect(violations, "mounts", MountTable.ReadBelow(root).Select(static mount => mount.Target), mounts.Select(static mount => mount.Path));
        violations.AddRange(mounts.Where(static mount => mount.Leases.Count == 0).Select(static mount => $"nobody holds {mount.Path}"));
    }

    private static void Expect(List<string> violations, string what, IEnumerable<string> found, IEnumerable<string> expected)
    {
        var (there, wanted) = (found.ToHashSet(StringComparer.Ordinal), expected.ToHashSet(StringComparer.Ordinal));
        foreach (var name in there.Except(wanted, StringComparer.Ordinal)) violations.Add($"left behind in {what}: {name}");
        foreach (var name in wanted.Except(there, StringComparer.Ordinal)) violations.Add($"missing in {what}: {name}");
    }

    private static IEnumerable<string> NamesIn(string root, string directory) =>
        Directory.Exists(Path.Combine(root, directory)) ? Directory.EnumerateFileSystemEntries(Path.Combine(root, directory)).Select(static path => Path.GetFileName(path)!) : [];
}
