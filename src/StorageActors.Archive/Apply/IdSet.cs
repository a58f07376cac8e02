namespace StorageActors.Archive.Apply;

/// <summary>Distinct ids; made for input where the same one comes again and again.</summary>
internal sealed class IdSet
{
    private readonly HashSet<long> _ids = [];
    private long _last = -1;

    internal void Add(long id)
    {
        if (id == _last) return;
        _ids.Add(id);
        _last = id;
    }

    internal IReadOnlyList<long> ToList()
    {
        var list = _ids.ToList();
        list.Sort();
        return list;
    }
}
