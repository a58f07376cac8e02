using System.Buffers;
using System.Text;
using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>What may be a name, a label or a document's key.</summary>
internal static class NameRules
{
    internal const int LongestName = 512;
    internal const int LongestKey = 200;
    internal const int LongestLabel = 64 * 1024;

    /// <summary>Sorted, each once.</summary>
    internal static Decision<string[]> Check(string operation, IReadOnlyList<string>? names)
    {
        foreach (var name in names ?? [])
        {
            if (!IsWord(name, LongestName))
                return Refusals.Invalid(operation, $"\"{Printable(name)}\" is no name: 1 to {LongestName} printable characters without spaces are", StorageErrorReason.InvalidName);
        }

        return Sorted(names ?? []);
    }

    internal static StorageError? CheckLabels(string operation, IReadOnlyDictionary<string, string>? labels)
    {
        foreach (var (key, value) in labels ?? new Dictionary<string, string>())
        {
            if (!IsWord(key, LongestName)) return Refusals.Invalid(operation, $"\"{Printable(key)}\" is no label: 1 to {LongestName} printable characters without spaces are", StorageErrorReason.InvalidLabel);
            if (value is null) return Refusals.Invalid(operation, $"label {Printable(key)} is null; an empty value takes a label away", StorageErrorReason.InvalidLabel);
            if (value.Length > LongestLabel) return Refusals.Invalid(operation, $"the value of label {Printable(key)} is longer than {LongestLabel} characters", StorageErrorReason.InvalidLabel);
        }

        return null;
    }

    internal static StorageError? CheckDocuments(string operation, IReadOnlyList<BigData> documents)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (var document in documents)
        {
            if (!IsWord(document.Key, LongestKey, spaces: true))
                return Refusals.Invalid(operation, $"\"{Printable(document.Key)}\" is no key of a document: 1 to {LongestKey} printable characters are", StorageErrorReason.InvalidDocumentKey);
            if (!keys.Add(document.Key)) return Refusals.Invalid(operation, $"there are two documents {document.Key}", StorageErrorReason.InvalidDocumentKey);
            if (document.Content.Length > BigData.LargestLength) return Refusals.Invalid(operation, $"document {document.Key} is larger than {BigData.LargestLength} bytes");
        }

        return null;
    }

    internal static string[] Sorted(IEnumerable<string> names) =>
        [.. names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>For messages: at most 80 characters, control characters replaced.</summary>
    internal static string Printable(string? text)
    {
        if (text is null) return "";
        var shown = text.Length <= 80 ? text : text[..77] + "...";
        return string.Concat(shown.Select(static c => char.IsControl(c) ? '?' : c));
    }

    /// <summary>Null is none: JSON puts it into lists whose elements are not nullable.</summary>
    private static bool IsWord(string? text, int longest, bool spaces = false)
    {
        if (string.IsNullOrEmpty(text) || text.Length > longest) return false;
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            // A lone half of a surrogate pair would come back from the journal as another character.
            if (Rune.DecodeFromUtf16(rest, out var rune, out var consumed) != OperationStatus.Done) return false;
            if (Rune.IsControl(rune) || (Rune.IsWhiteSpace(rune) && !(spaces && rune.Value == ' '))) return false;
            rest = rest[consumed..];
        }

        return true;
    }
}
