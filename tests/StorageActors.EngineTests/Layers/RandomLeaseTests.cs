using System.Collections.Concurrent;
using Akka.Actor;
using Akka.TestKit;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.EngineTests.Support;
using StorageActors.Layers;
using StorageActors.Protocol;
using StorageActors.Store;
using Xunit;

namespace StorageActors.EngineTests.Layers;

/// <summary>Random commands of several clients, whose holders die at random, on a driver that fails at random.</summary>
public sealed class RandomLeaseTests() : EngineTest()
{
    private static readonly TimeSpan Patience = Patient.Limit;
    private static readonly LayerId Layer = LayerId.Parse("some-layer");
    private static readonly LayerSetup Setup = new(new LayerLocation(Layer, "/store/some-layer"), [], LayerKind.Writable, DateTimeOffset.UnixEpoch);
    private readonly StoreMetrics _metrics = new();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Every_command_has_one_answer_and_nothing_stays_mounted_when_all_have_gone(int seed)
    {
        var random = new Random(seed);
        var faults = new ConcurrentQueue<string>();
        var driver = Sys.ActorOf(Props.Create(() => new UnreliableDriver(seed, faults)));
        var layers = Sys.ActorOf(LayersActor.Props(new LayerEnvironment(
            driver, TimeProvider.System, "boot", "run", _metrics, new MountView(), TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(5))));
        var clients = Enumerable.Range(0, 4).Select(_ => new Client(CreateTestProbe(), layers)).ToList();
        var holders = Enumerable.Range(0, 4).Select(_ => SomeActor()).ToList();
        for (var step = 0; step < 800; step++)
        {
            var client = clients[random.Next(clients.Count)];
            if (random.Next(15) == 0)
            {
                var dying = random.Next(holders.Count);
                Sys.Stop(holders[dying]);
                holders[dying] = SomeActor();
            }

            client.Send(Command(random, holders));
            if (random.Next(3) == 0) clients[random.Next(clients.Count)].Await();
        }

        foreach (var client in clients) client.Await();
        while (!clients[0].ReleaseAll())
        {
            // Busy: the driver says so now and then.
        }

        Assert.False(await driver.Ask<bool>(IsMounted.Instance));
        Assert.Empty(faults);
        foreach (var client in clients) client.ExpectNothingMore();
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        _metrics.Dispose();
    }

    private static LayerProtocol.ICommand Command(Random random, List<IActorRef> holders)
    {
        var lease = LeaseId.Parse($"l{random.Next(5)}");
        return random.Next(20) switch
        {
            < 10 => new LayerProtocol.Acquire(
                Layer, lease, new MountOptions(random.Next(4) == 0), random.Next(2) == 0 ? holders[random.Next(holders.Count)] : null),
            < 17 => new LayerProtocol.Release(Layer, random.Next(5) == 0 ? null : lease),
            17 => new LayerProtocol.ReleaseAll(Layer),
            18 => new LayerProtocol.WhyBusy(Layer),
            _ => new LayerProtocol.Describe(Layer, MountOptions.Default),
        };
    }

    private sealed class Client(TestProbe probe, IActorRef layers)
    {
        private int _owed;

        internal void Send(LayerProtocol.ICommand command)
        {
            probe.Send(layers, new LayerInternal.Deliver(Setup, command));
            _owed++;
        }

        internal void Await()
        {
            for (; _owed > 0; _owed--) probe.ExpectMsg<StoreProtocol.IReply>(Patience);
        }

        internal bool ReleaseAll()
        {
            probe.Send(layers, new LayerInternal.Deliver(Setup, new LayerProtocol.ReleaseAll(Layer)));
            return probe.ExpectMsg<StoreProtocol.IReply>(Patience) is LayerProtocol.Released;
        }

        internal void ExpectNothingMore() => Assert.False(probe.HasMessages);
    }

    private sealed record IsMounted
    {
        internal static readonly IsMounted Instance = new();
    }

    /// <summary>A mount that is there or not; says when it is asked for nonsense.</summary>
    private sealed class UnreliableDriver : ReceiveActor
    {
        private readonly Random _random;
        private readonly ConcurrentQueue<string> _faults;
        private ActiveMount? _mount;

        public UnreliableDriver(int seed, ConcurrentQueue<string> faults)
        {
            (_random, _faults) = (new Random(seed), faults);
            Receive<IsMounted>(_ => Sender.Tell(_mount is not null));
            Receive<DriverProtocol.Perform>(perform => Sender.Tell(Answer(perform)));
        }

        private DriverProtocol.IReply Answer(DriverProtocol.Perform perform) => perform.Operation switch
        {
            FindMount => new DriverProtocol.Completed<FoundMount>(perform.Attempt, new FoundMount(_mount)),
            MountLayer mount => Mount(perform.Attempt, mount.Request),
            UnmountLayer => Unmount(perform.Attempt),
            DescribeMount => new DriverProtocol.Completed<IReadOnlyList<MountStep>>(perform.Attempt, []),
            FindHolders => new DriverProtocol.Completed<IReadOnlyList<string>>(perform.Attempt, []),
            _ => throw new InvalidOperationException(perform.Operation.Verb),
        };

        private DriverProtocol.IReply Mount(long attempt, MountRequest request)
        {
            if (_mount is not null) _faults.Enqueue("mounted twice");
            if (_random.Next(10) == 0) return new DriverProtocol.Failed(attempt, new StorageError(StorageErrorCode.Io, "mount", "bad luck"));
            _mount = new ActiveMount("/store/some-layer/merged", request.Mode);
            return new DriverProtocol.Completed<ActiveMount>(attempt, _mount);
        }

        private DriverProtocol.IReply Unmount(long attempt)
        {
            if (_mount is null) _faults.Enqueue("unmounted twice");
            if (_random.Next(5) == 0) return new DriverProtocol.Failed(attempt, new StorageError(StorageErrorCode.InUse, "unmount", "busy."));
            _mount = null;
            return new DriverProtocol.Completed<Nothing>(attempt, Nothing.Instance);
        }
    }
}
