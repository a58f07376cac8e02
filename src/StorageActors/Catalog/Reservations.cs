using System.Collections.Immutable;
using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>
/// What running flows hold, immutable; forgotten when the engine stops, since nothing that a flow has not committed outlives it. A holder is a flow's
/// name.
/// </summary>
internal sealed record Reservations
{
    internal static readonly Reservations None = new();

    /// <summary>Layers that are being made.</summary>
    private ImmutableDictionary<LayerId, Making> Layers { get; init; } = ImmutableDictionary<LayerId, Making>.Empty;

    /// <summary>Which of them will have a ChainID on a parent.</summary>
    private ImmutableDictionary<Claim, LayerId> Claims { get; init; } = ImmutableDictionary<Claim, LayerId>.Empty;

    /// <summary>Names that will be given to layers, and by whom.</summary>
    private ImmutableDictionary<string, string> Names { get; init; } = ImmutableDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>Layers that must stay, and who says so.</summary>
    private ImmutableDictionary<LayerId, ImmutableHashSet<string>> Pins { get; init; } = ImmutableDictionary<LayerId, ImmutableHashSet<string>>.Empty;

    private ImmutableDictionary<LayerId, string> TakenLayers { get; init; } = ImmutableDictionary<LayerId, string>.Empty;

    private ImmutableDictionary<ImageId, string> TakenImages { get; init; } = ImmutableDictionary<ImageId, string>.Empty;

    internal bool IsEmpty => Layers.IsEmpty && Claims.IsEmpty && Names.IsEmpty && Pins.IsEmpty && TakenLayers.IsEmpty && TakenImages.IsEmpty;

    internal string? MakerOf(LayerId layer) => Layers.GetValueOrDefault(layer)?.Holder;

    internal string? HolderOf(string name) => Names.GetValueOrDefault(name);

    internal bool HasNames(string holder) => Names.ContainsValue(holder);

    internal LayerId? FindClaim(Digest chain, LayerId? parent) => Claims.TryGetValue(new Claim(chain, parent), out var layer) ? layer : null;

    internal bool IsTakenByOther(LayerId layer, string holder) => TakenLayers.TryGetValue(layer, out var taker) && taker != holder;

    internal bool IsTakenByOther(ImageId image, string holder) => TakenImages.TryGetValue(image, out var taker) && taker != holder;

    internal bool IsPinnedByOther(LayerId layer, string holder) =>
        Pins.TryGetValue(layer, out var holders) && (holders.Count > 1 || !holders.Contains(holder));

    internal bool IsPinned(LayerId layer) => Pins.ContainsKey(layer);

    internal Reservations Make(string holder, LayerId layer) => this with { Layers = Layers.SetItem(layer, new Making(holder)) };

    internal Reservations ClaimFor(LayerId layer, Digest chain, LayerId? parent) => this with { Claims = Claims.SetItem(new Claim(chain, parent), layer) };

    internal Reservations Name(string holder, IEnumerable<string> names) =>
        this with { Names = Names.SetItems(names.Select(name => KeyValuePair.Create(name, holder))) };

    internal Reservations Pin(string holder, LayerId layer) => this with { Pins = Pins.Join(layer, holder) };

    internal Reservations Take(string holder, LayerId layer) => this with { TakenLayers = TakenLayers.SetItem(layer, holder) };

    internal Reservations Take(string holder, ImageId image) => this with { TakenImages = TakenImages.SetItem(image, holder) };

    /// <summary>The layer is made now, or will not be: its id and its claims are given back.</summary>
    internal Reservations Made(LayerId layer) => this with
    {
        Layers = Layers.Remove(layer),
        Claims = Claims.RemoveRange(Claims.Where(claim => claim.Value == layer).Select(static claim => claim.Key)),
    };

    /// <summary>The layer is gone, or sealed.</summary>
    internal Reservations GiveBack(LayerId layer) => this with { TakenLayers = TakenLayers.Remove(layer) };

    /// <summary>Without all that a holder has.</summary>
    internal Reservations Free(string holder)
    {
        var made = Layers.Where(making => making.Value.Holder == holder).Select(static making => making.Key);
        var freed = made.Aggregate(this, static (reservations, layer) => reservations.Made(layer));
        return freed with
        {
            Names = Names.RemoveRange(Of(Names, holder)),
            Pins = Pins.Where(pin => pin.Value.Contains(holder)).Aggregate(Pins, (pins, pin) => pins.Leave(pin.Key, holder)),
            TakenLayers = TakenLayers.RemoveRange(Of(TakenLayers, holder)),
            TakenImages = TakenImages.RemoveRange(Of(TakenImages, holder)),
        };
    }

    private static IEnumerable<TKey> Of<TKey>(ImmutableDictionary<TKey, string> held, string holder)
        where TKey : notnull => held.Where(pair => pair.Value == holder).Select(static pair => pair.Key);

    private sealed record Making(string Holder);

    private readonly record struct Claim(Digest ChainId, LayerId? Parent);
}
