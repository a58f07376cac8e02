using StorageActors.DriverOperations;
using StorageActors.Store;

namespace StorageActors.Recovery;

/// <summary>Marks the store before what a death left is put right.</summary>
internal sealed record BeginSettling : DriverOperation<Nothing>
{
    internal override string Verb => "begin to settle";

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        UnsettledMark.Set(services.Layout);
        return Nothing.Instance;
    }
}

/// <summary>Takes the mark away: directories, records and the driver's names are as the journal has them.</summary>
internal sealed record EndSettling : DriverOperation<Nothing>
{
    internal override string Verb => "end to settle";

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        UnsettledMark.Clear(services.Layout);
        return Nothing.Instance;
    }
}
