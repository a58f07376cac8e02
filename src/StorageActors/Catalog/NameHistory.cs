using StorageActors.Journal;
using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>The names that an image ever had: the one that was given last first, each once.</summary>
internal static class NameHistory
{
    /// <summary>As many are kept; of a name that was given more often than others ago nobody asks.</summary>
    internal const int Longest = 1000;

    /// <summary>What is known: of an image that has not been named since the store keeps this, the names that it has.</summary>
    internal static IReadOnlyList<string> Of(ImageRecord image) => image.NamesHistory ?? image.Names;

    /// <summary>The image with the names, and the history, that it has after an event.</summary>
    internal static ImageRecord Name(ImageRecord image, CatalogEvent.ImageNamed named) => image with
    {
        Names = named.Names, NamesHistory = named.Given is { } given ? With(Of(image), given) : named.History ?? image.NamesHistory,
    };

    /// <summary>A history with names that were given now, in this order.</summary>
    internal static string[] With(IEnumerable<string> history, IEnumerable<string> given) =>
        [.. given.Reverse().Concat(history).Distinct(StringComparer.Ordinal).Take(Longest)];
}
