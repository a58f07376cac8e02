using StorageActors.DriverContractTests.Harness;
using StorageActors.Drivers;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.DriverContractTests;

public abstract partial class LayerDriverContract
{
    private const SnapshotParts Modelled = SnapshotParts.Mode | SnapshotParts.Owner | SnapshotParts.Content | SnapshotParts.Times;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12)];

    /// <summary>Random layers, writes, seals, diffs and restarts; each layer shows at any time what the model says.</summary>
    [SkippableTheory]
    [MemberData(nameof(Seeds))]
    public void Random_commands_agree_with_the_model(int seed)
    {
        using var store = NewStore();
        using var driver = Open(store);
        var random = new RandomSteps(seed);
        var models = new Dictionary<string, TreeModel>();
        for (var step = 0; step < 25; step++)
        {
            var command = random.Next(10);
            var parent = models.Count == 0 || random.Next(6) == 0 ? null : random.Pick(models.Keys.ToList());
            var below = parent is null ? TreeModel.Empty : models[parent];
            var id = $"layer{step}";
            switch (command)
            {
                case <= 3:
                    var tar = random.Tar(below);
                    driver.Create(id, parent).Do(tar).LateParents = random.Next(2) == 0 && driver.Can(DriverCapabilities.Rebase);
                    models[id] = below.WithTar(tar);
                    break;
                case <= 6:
                    var writes = random.Writes(below);
                    driver.CreateWritable(id, parent).Do(writes);
                    models[id] = below.WithWrites(writes);
                    break;
                case 7 when Leaf(writable: true) is { } open:
                    var more = random.Writes(models[open]);
                    driver[open].Do(more);
                    models[open] = models[open].WithWrites(more);
                    id = open;
                    break;
                case 8 when Leaf(writable: true) is { } open:
                    driver.Seal(open);
                    id = open;
                    break;
                case 9 when models.Count >= 2:
                    var (layer, from) = (random.Pick(models.Keys.ToList()), random.Pick(models.Keys.ToList()));
                    if (from != driver[layer].Parent?.Id.Value && from != layer) Assert.Equal(models[layer].ChangesFrom(models[from]), driver.Changes(layer, from));
                    driver.CreateFrom(id, from, driver.Diff(layer, from));
                    Assert.Equal(models[layer].Lines(times: false), driver.TreeOf(id, Modelled & ~SnapshotParts.Times).Skip(1));
                    driver.Remove(id);
                    driver.Restart();
                    continue;
                default:
                    continue;
            }

            Assert.Equal(models[id].Lines(times: true), driver.TreeOf(id, Modelled).Skip(1));
        }

        foreach (var (id, model) in models) Assert.Equal(model.Lines(times: true), driver.TreeOf(id, Modelled).Skip(1));

        string? Leaf(bool writable)
        {
            var leaves = models.Keys.Where(id => driver[id].Writable == writable && models.Keys.All(other => driver[other].Parent?.Id.Value != id)).ToList();
            return leaves.Count == 0 ? null : random.Pick(leaves);
        }
    }
}
