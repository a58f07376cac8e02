using System.Text;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Archive.Apply;

/// <summary>Random stacks of random layers show what the model of the specification shows, whichever way they are made.</summary>
public sealed class RandomLayersTests
{
    private const SnapshotParts Modelled = SnapshotParts.Mode | SnapshotParts.Owner | SnapshotParts.Times | SnapshotParts.DirectoryTimes;

    public static TheoryData<Way, int> Cases
    {
        get
        {
            var cases = new TheoryData<Way, int>();
            foreach (var way in (Way[])[Way.Overlay, Way.Rebased, Way.InPlace])
                for (var part = 0; part < 4; part++) cases.Add(way, part);
            return cases;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Every_layer_of_a_random_stack_shows_what_the_model_shows(Way way, int part)
    {
        for (var seed = part * 10; seed < (part + 1) * 10; seed++)
        {
            var layers = new RandomLayers(seed);
            using var lab = new LayerLab(way);
            for (var layer = 0; layer < 5; layer++)
            {
                var steps = layers.Next();
                var tar = RandomLayers.Tar(steps);
                lab.Add(tar);
                var shown = lab.See(Modelled).Lines.Skip(1);
                Assert.True(shown.SequenceEqual(layers.Model.Lines), Difference(seed, layer, steps, layers.Model.Lines, shown));
                Assert.Equal(tar, lab.Reassemble(layer, lab.Last.DiffId));
            }
        }
    }

    [SkippableFact]
    public void The_view_of_lower_layers_agrees_with_the_kernels()
    {
        for (var seed = 1000; seed < 1015; seed++)
        {
            var layers = new RandomLayers(seed);
            using var lab = new LayerLab();
            for (var layer = 0; layer < 5; layer++) lab.Add(RandomLayers.Tar(layers.Next()));
            var view = lab.Below(5);
            using var mount = lab.Mount(5);
            foreach (var path in layers.Model.Paths.SelectMany(path => (string[])[path, path + "/none", path + "/a", path[..^1] + "b"]).Distinct())
            {
                var bytes = Encoding.ASCII.GetBytes(path);
                var there = Libc.TryStat(Path.Combine(mount.Path, path), out var status) == Errno.None;
                var found = view.Find(bytes);
                Assert.Equal(there, found is not null);
                if (found is null) continue;
                Assert.Equal((status.Mode, status.UserId, status.Size * (status.IsRegular ? 1 : 0)), (found.Status.Mode, found.Status.UserId, found.Status.Size * (found.Status.IsRegular ? 1 : 0)));
                if (!status.IsDirectory) continue;
                var names = Directory.EnumerateFileSystemEntries(Path.Combine(mount.Path, path)).Select(Path.GetFileName).Order(StringComparer.Ordinal);
                Assert.Equal(names, view.List(bytes).Select(Encoding.ASCII.GetString));
            }
        }
    }

    private static string Difference(int seed, int layer, List<LayerStep> steps, IEnumerable<string> expected, IEnumerable<string> actual) =>
        $"seed {seed}, layer {layer}: {string.Join("; ", steps)}\nmissing:\n{string.Join('\n', expected.Except(actual))}\ntoo much:\n{string.Join('\n', actual.Except(expected))}";
}
