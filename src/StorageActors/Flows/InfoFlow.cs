using Akka.Actor;
using StorageActors.DriverOperations;
using StorageActors.Protocol;

namespace StorageActors.Flows;

/// <summary><see cref="StoreProtocol.GetInfo"/>: the driver looks at the kernel and the file system for it, which the store's own actor does not wait for.</summary>
/// <param name="store">The neighbours.</param>
/// <param name="requester">Who asks.</param>
/// <param name="tell">Makes the answer of what the driver says.</param>
internal sealed class InfoFlow(FlowContext store, IActorRef requester, Func<IReadOnlyList<StoreFact>, StoreProtocol.Info> tell) : FlowActor(store, requester, "info")
{
    protected override void Start() => Perform(new FindFacts(), facts => Answer(tell(facts)));

    protected override void Refuse(StorageError error) => Answer(new StoreProtocol.Refused(error));
}

/// <summary>Asks the driver what it has to say of itself.</summary>
internal sealed record FindFacts : DriverOperation<IReadOnlyList<StoreFact>>
{
    internal override string Verb => "info";

    internal override IReadOnlyList<StoreFact> Execute(DriverServices services, CancellationToken stop) => services.Driver.Facts;
}
