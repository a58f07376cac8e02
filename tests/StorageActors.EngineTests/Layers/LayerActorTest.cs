using Akka.Actor;
using Akka.TestKit;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.EngineTests.Support;
using StorageActors.Journal;
using StorageActors.Layers;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.EngineTests.Layers;

/// <summary>One real layer actor; probes stand for its parent, for the driver operations and for two clients.</summary>
public abstract class LayerActorTest() : EngineTest()
{
    private protected static readonly LayerId Layer = LayerId.Parse("some-layer");
    private protected static readonly ActiveMount ReadWrite = new("/store/some-layer/merged", MountMode.ReadWrite);
    private protected static readonly ActiveMount ReadOnly = ReadWrite with { Mode = MountMode.ReadOnly };
    private readonly StoreMetrics _metrics = new();

    private IActorRef _adopter = ActorRefs.Nobody;
    private TestProbe? _parent;
    private MountView? _view;
    private TestProbe? _operations;
    private TestProbe? _one;
    private TestProbe? _two;

    private protected TestProbe Parent => _parent ??= CreateTestProbe("parent");

    /// <summary>What everybody can see of the mount.</summary>
    private protected MountView View => _view ??= new HeardView(Parent);

    private protected TestProbe Operations => _operations ??= CreateTestProbe("operations");

    private protected TestProbe One => _one ??= CreateTestProbe("one");

    private protected TestProbe Two => _two ??= CreateTestProbe("two");

    private protected LayerSetup Setup { get; set; } = new(
        new LayerLocation(Layer, "/store/some-layer"), [new LayerLocation(LayerId.Parse("below"), "/store/below")], LayerKind.Writable, DateTimeOffset.UnixEpoch);

    private protected LayerEnvironment Environment(string bootId = "boot", string run = "run") =>
        new(Operations, TimeProvider.System, bootId, run, _metrics, View, TimeSpan.FromMinutes(5), TimeSpan.FromMilliseconds(20));

    /// <summary>An actor for the layer that has read its journal and asks for its mount.</summary>
    private protected IActorRef Start(LayerEnvironment? environment = null, IReadOnlyList<LeaseEvent.Granted>? remembered = null)
    {
        var props = LayerActor.Props(Setup, environment ?? Environment(), remembered);
        var observer = Parent.Ref;
        _adopter = Sys.ActorOf(Props.Create(() => new Adopter(props, observer)));
        Parent.ExpectMsg<LayerInternal.Ready>();
        return Parent.LastSender!;
    }

    /// <summary>An actor for a layer that is not mounted.</summary>
    private protected IActorRef StartUnmounted()
    {
        var layer = Start();
        Answer<FindMount, FoundMount>(new FoundMount(null));
        return layer;
    }

    /// <summary>An actor for a layer that the first client has mounted, as external lease "one".</summary>
    private protected IActorRef StartMounted(IActorRef? holder = null, MountMode mode = MountMode.ReadWrite)
    {
        var layer = StartUnmounted();
        Acquire(layer, One, "one", holder, mode == MountMode.ReadOnly);
        Answer<MountLayer, ActiveMount>(mode == MountMode.ReadWrite ? ReadWrite : ReadOnly);
        One.ExpectMsg<LayerProtocol.Acquired>();
        Parent.ExpectMsg<MountChange>();
        return layer;
    }

    /// <summary>Stops the actor when the journal has what it has answered.</summary>
    private protected void End(IActorRef layer)
    {
        One.Send(layer, new LayerInternal.Flush(1));
        One.ExpectMsg<LayerInternal.Flushed>();
        Sys.Stop(layer);
        AwaitEnd();
    }

    /// <summary>Until the actor has ended and the test's parent has heard all that it had told its own.</summary>
    private protected void AwaitEnd()
    {
        Watch(_adopter);
        ExpectTerminated(_adopter);
        Parent.ReceiveWhile<object>(static message => message, TimeSpan.Zero, TimeSpan.Zero);
    }

    private protected static void Acquire(IActorRef layer, TestProbe client, string lease, IActorRef? holder = null, bool readOnly = false) =>
        client.Send(layer, new LayerProtocol.Acquire(Layer, LeaseId.Parse(lease), new MountOptions(readOnly), holder));

    private protected static void Release(IActorRef layer, TestProbe client, string lease) =>
        client.Send(layer, new LayerProtocol.Release(Layer, LeaseId.Parse(lease)));

    private protected DriverProtocol.Perform Expect<TOperation>() where TOperation : DriverOperation =>
        Operations.ExpectMsg<DriverProtocol.Perform>(static perform => perform.Operation is TOperation);

    private protected TOperation Answer<TOperation, TResult>(TResult result) where TOperation : DriverOperation<TResult>
    {
        var perform = Expect<TOperation>();
        Operations.Reply(new DriverProtocol.Completed<TResult>(perform.Attempt, result));
        return (TOperation)perform.Operation;
    }

    private protected TOperation Fail<TOperation>(StorageErrorCode code, string message = "it failed.") where TOperation : DriverOperation
    {
        var perform = Expect<TOperation>();
        Operations.Reply(new DriverProtocol.Failed(perform.Attempt, new StorageError(code, "test", message)));
        return (TOperation)perform.Operation;
    }

    private protected UnmountLayer AnswerUnmount() => Answer<UnmountLayer, Nothing>(Nothing.Instance);

    private protected static StorageErrorCode Refusal(TestProbe client) => client.ExpectMsg<StoreProtocol.Refused>().Error.Code;

    protected override void AfterAll()
    {
        base.AfterAll();
        _metrics.Dispose();
    }

    /// <summary>The layer's parent: shows the test what the layer tells it, all of it before it ends after its child.</summary>
    private sealed class Adopter : ReceiveActor
    {
        public Adopter(Props child, IActorRef observer)
        {
            Context.Watch(Context.ActorOf(child));
            Receive<Terminated>(_ => Context.Stop(Self));
            ReceiveAny(observer.Forward);
        }
    }

    /// <summary>Tells a probe what is noted.</summary>
    private sealed class HeardView(IActorRef listener) : MountView
    {
        internal override (int Mounts, int Leases) Note(MountChange changed)
        {
            var difference = base.Note(changed);
            listener.Tell(changed);
            return difference;
        }
    }
}
