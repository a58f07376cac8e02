using StorageActors.DriverOperations;
using StorageActors.Store;

namespace StorageActors.Recovery;

/// <summary>Marks the store before it is put right: one that was opened after a death is marked by then, one whose catalog failed while it served is not.</summary>
internal sealed record BeginSettling : DriverOperation<Nothing>
{
    internal override string Verb => "begin to settle";

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        UnsettledMark.Set(services.Layout);
        return Nothing.Instance;
    }
}

/// <summary>Takes the mark away: what directories, records and the driver's names can be brought to, they are.</summary>
internal sealed record EndSettling : DriverOperation<Nothing>
{
    internal override string Verb => "end to settle";

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        UnsettledMark.Clear(services.Layout);
        return Nothing.Instance;
    }
}
