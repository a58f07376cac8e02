using Akka.Configuration;
using StorageActors.Drivers;
using StorageActors.Drivers.Aufs;
using StorageActors.Engine;
using StorageActors.EngineTests.Support;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using StorageActors.TestSupport.Aufs;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>A whole store on the aufs driver and the simulated kernel: many requesters at once.</summary>
public sealed class AufsMountTests
{
    private const int Layers = 200;
    private const int Requesters = 8;
    private const int Shared = 4;
    private static readonly TimeSpan Limit = Patient.Limit;

    [SkippableFact]
    public async Task Mounts_of_different_layers_run_side_by_side_those_of_one_in_turn_and_none_is_left()
    {
        RequiredTiers.SkipUnlessRoot();
        using var root = LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
        using var scratch = LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
        var kernel = new SimulatedAufs(scratch.Path);
        await using (var engine = await StartAsync(root.Path, kernel))
        {
            var below = (await engine.Client.CreateAsync(parent: null)).Id;
            await engine.Client.SealAsync(below);
            var layers = new LayerId[Layers];
            for (var i = 0; i < Layers; i++) layers[i] = (await engine.Client.CreateAsync(below)).Id;
            Meet(kernel);
            await Task.WhenAll(Enumerable.Range(0, Requesters).Select(requester => Task.Run(() => MountAll(engine, layers, requester))));
            foreach (var layer in layers) Assert.True(File.Exists($"{root.Path}/aufs/{layer}/diff/written"));
        }

        Assert.Empty(kernel.Mounted);
        Assert.Empty(MountTable.ReadBelow(root.Path));
        Assert.Empty(kernel.Record.Violations);
        Check(kernel.Record.Events);
    }

    /// <summary>The first two unmounts of different layers wait for each other: if the engine made them one by one, both would wait in vain.</summary>
    private static void Meet(SimulatedAufs kernel)
    {
        var targets = new HashSet<string>(Comparer);
        var both = new ManualResetEventSlim();
        kernel.InsideFlush = target =>
        {
            lock (targets)
            {
                targets.Add(target);
                if (targets.Count > 1) both.Set();
            }

            Assert.True(both.Wait(Limit), "no other layer is unmounted meanwhile");
        };
    }

    private static StringComparer Comparer => StringComparer.Ordinal;

    private static async Task MountAll(StorageEngine engine, LayerId[] layers, int requester)
    {
        for (var i = requester; i < layers.Length; i += Requesters)
        {
            await using (var lease = await engine.Client.MountAsync(layers[i]))
            {
                await File.WriteAllTextAsync(lease.Path + "/written", "");
            }

            // Some layers are everybody's: whoever comes last unmounts, and whoever comes then mounts again.
            await using var shared = await engine.Client.MountAsync(layers[i % Shared]);
            Assert.True(Directory.Exists(shared.Path));
        }
    }

    private static void Check(IReadOnlyList<AufsEvent> events)
    {
        var mounts = events.Where(call => call.Call == AufsCall.Mount && call.Target.Contains("/aufs/", StringComparison.Ordinal)).OrderBy(call => call.Begin).ToList();
        Assert.True(mounts.Count >= Layers);
        Assert.All(mounts, call => Assert.Equal(0, call.Answer));
        Assert.DoesNotContain(mounts.Zip(mounts.Skip(1)), pair => pair.First.Overlaps(pair.Second));

        var targets = mounts.Select(call => call.Target).ToHashSet(Comparer);
        Assert.Equal(Layers, targets.Count);
        foreach (var target in targets)
        {
            // One after the other, and each mount is unmounted before the next.
            var calls = events.Where(call => call.Target == target).OrderBy(call => call.Begin).ToList();
            Assert.DoesNotContain(calls.Zip(calls.Skip(1)), pair => pair.First.Overlaps(pair.Second));
            var turns = string.Concat(calls.Where(call => call.Call is AufsCall.Mount || call is { Call: AufsCall.Unmount, Answer: 0 }).Select(call => call.Call == AufsCall.Mount ? "+" : "-"));
            Assert.Equal(string.Concat(Enumerable.Repeat("+-", turns.Length / 2)), turns);
        }

        var flushes = events.Where(call => call.Call == AufsCall.Flush).ToList();
        Assert.Contains(flushes, call => events.Any(other => other.Target != call.Target && other.Overlaps(call)));
    }

    private static Task<StorageEngine> StartAsync(string root, SimulatedAufs kernel) => StorageEngine.StartAsync(
        ConfigurationFactory.ParseString($$"""
            akka.actor.serialize-messages = on
            akka.stdout-loglevel = WARNING
            akka.loglevel = WARNING
            storage-actors.root = "{{root}}"
            storage-actors.durability = none
            storage-actors.retry.pause = 10ms
            """),
        (_, store) => new ModelledAufsDriver(new AufsDriver(store.Root, new DriverOptions(), kernel: kernel), kernel));
}
