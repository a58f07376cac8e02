using System.Buffers.Binary;
using System.Text.Json;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Records;

/// <summary>The layers of a packed snapshot: bytes, of which those of one layer are read when it is first asked for.</summary>
internal sealed class PackedLayers : LayerTable
{
    private readonly ReadOnlyMemory<byte> _ends;
    private readonly ReadOnlyMemory<byte> _layers;
    private readonly LayerRecord?[] _records;

    /// <param name="ends">For each layer a number of 4 bytes: where its bytes end, and the next one's begin.</param>
    /// <param name="layers">Each as <see cref="PackedLayer"/> has it; never changed.</param>
    /// <param name="totals">What they are together, by whoever wrote them.</param>
    /// <exception cref="FormatException">They do not fit together, or something is no layer's id.</exception>
    internal PackedLayers(ReadOnlyMemory<byte> ends, ReadOnlyMemory<byte> layers, LayerTotals totals)
        : base(ends.Length / sizeof(int))
    {
        (_ends, _layers, _records, Totals) = (ends, layers, new LayerRecord?[Count], totals);
        CheckEnds();
    }

    internal override LayerTotals Totals { get; }

    /// <inheritdoc/>
    /// <exception cref="StorageException">There is no valid record: the journal is damaged. Whoever asks for it is told so, as at a start; see <see cref="ReadAll"/>.</exception>
    public override LayerRecord this[int index]
    {
        get
        {
            try
            {
                return Read(index);
            }
            catch (Exception e) when (e is JsonException or FormatException)
            {
                throw Unreadable($"its snapshot has the layer {IdOf(index)}, whose record cannot be read: {e.Message}", e);
            }
        }
    }

    /// <summary>How many records were read so far.</summary>
    internal int CountRead => _records.Count(static record => record is not null);

    /// <summary>Whether all records were read at once.</summary>
    internal bool WasReadAtOnce { get; private set; }

    internal override bool IsDamaged(int row) => PackedLayer.IsDamagedIn(BytesOf(row));

    /// <summary>Reads all records now: when they were not written by what is to read them, it is better to know at once that one cannot be read.</summary>
    /// <exception cref="Exception"><see cref="JsonException"/> or <see cref="FormatException"/>: that is so, or they are not what was said of them.</exception>
    internal void ReadAll()
    {
        WasReadAtOnce = true;
        for (var row = 0; row < Count; row++) _ = Read(row);
        RequireEachOnce();
        if (LayerTotals.Of(this) != Totals) throw new FormatException("its layers are not together what it says of them");
    }

    protected override Exception Unusable(string reason) => WasReadAtOnce ? base.Unusable(reason) : Unreadable($"its snapshot is wrong, {reason}", null);

    protected override ReadOnlySpan<byte> KeyOf(int row) => PackedLayer.IdIn(BytesOf(row));

    protected override ReadOnlySpan<byte> ParentOf(int row) => Layer(row).Parent;

    protected override ReadOnlySpan<byte> ChainOf(int row) => Layer(row).Chain;

    protected override IReadOnlyList<string> NamesOf(int row) => Layer(row).HasNames ? this[row].Names : [];

    // Who comes second takes what the first has read, so that a layer is the same object for all.
    private LayerRecord Read(int row) => Volatile.Read(ref _records[row]) ?? Interlocked.CompareExchange(ref _records[row], Layer(row).Read(), null) ?? _records[row]!;

    private void CheckEnds()
    {
        var start = 0;
        var ends = _ends.Span;
        var layers = _layers.Span;
        for (var row = 0; row < Count; row++)
        {
            var end = End(ends, row);
            if (end < start || end > layers.Length) throw new FormatException("a layer's bytes end where they cannot");
            _ = new PackedLayer(layers[start..end]); // Which refuses what is none.
            start = end;
        }

        if (start != layers.Length) throw new FormatException("there are bytes behind the last layer");
    }

    private static StorageException Unreadable(string what, Exception? cause) => new(JournalFailure.Unreadable(what), cause);

    private static int End(ReadOnlySpan<byte> ends, int row) => BinaryPrimitives.ReadInt32LittleEndian(ends[(row * sizeof(int))..]);

    private PackedLayer Layer(int row) => new(BytesOf(row));

    private ReadOnlySpan<byte> BytesOf(int row)
    {
        var ends = _ends.Span;
        var start = row == 0 ? 0 : End(ends, row - 1);
        return _layers.Span[start..End(ends, row)];
    }
}
