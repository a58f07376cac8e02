using System.Runtime.InteropServices;

namespace StorageActors.Linux;

/// <summary>The attribute names of one inode, as the kernel lists them; <c>foreach</c> gives each as bytes.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly struct XattrNames
{
    private readonly byte[] _list;   // each ends with a NUL

    internal XattrNames(byte[] list) => _list = list;

    internal bool IsEmpty => _list is null || _list.Length == 0;

    public Enumerator GetEnumerator() => new(_list);

    /// <summary>Copies of the names, in the kernel's order.</summary>
    internal List<byte[]> ToList()
    {
        var names = new List<byte[]>();
        foreach (var name in this) names.Add(name.ToArray());
        return names;
    }

    internal ref struct Enumerator(ReadOnlySpan<byte> rest)
    {
        private ReadOnlySpan<byte> _rest = rest;

        public ReadOnlySpan<byte> Current { get; private set; }

        public bool MoveNext()
        {
            if (_rest.IsEmpty) return false;
            var end = _rest.IndexOf((byte)0);
            if (end < 0) end = _rest.Length;
            Current = _rest[..end];
            _rest = end == _rest.Length ? [] : _rest[(end + 1)..];
            return true;
        }
    }
}
