using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Protocol;

namespace StorageActors.Cli.Running;

/// <summary>Documents that the user names by the files that hold them.</summary>
internal static class DocumentFiles
{
    /// <summary>The option of a verb that makes a layer.</summary>
    internal static Option<Dictionary<string, string>> Option()
    {
        var option = Values.Pairs("--document", $"A document that is kept with it from the start; at most {BigData.LargestLength >> 20} MiB each, {BigData.LargestTotal >> 20} MiB together");
        option.HelpName = "KEY=FILE";
        return option;
    }

    /// <summary>What those files hold, in the order of their keys.</summary>
    internal static async Task<IReadOnlyList<BigData>?> ReadAllAsync(IReadOnlyDictionary<string, string>? files, CancellationToken stop)
    {
        if (files is not { Count: > 0 }) return null;
        if (files.Values.FirstOrDefault(static file => file == "-") is not null) throw new FormatException("a document that a layer has from the start is read from a file, not from stdin");
        var documents = new List<BigData>(files.Count);
        var total = 0;
        foreach (var (key, file) in files.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            documents.Add(new BigData(key, await ReadAsync(file, stop)));
            if ((total += documents[^1].Content.Length) > BigData.LargestTotal)
                throw new StorageException(new StorageError(StorageErrorCode.LimitExceeded, "read", $"the documents have more than the {BigData.LargestTotal} bytes that are taken at once; put some afterwards", file));
        }

        return documents;
    }

    /// <summary>What a file holds, or (<c>-</c>) stdin.</summary>
    internal static async Task<byte[]> ReadAsync(string file, CancellationToken stop)
    {
        if (file == "-" && !Console.IsInputRedirected) throw new FormatException("no content: name a FILE, or pipe it to stdin");
        await using var source = file == "-" ? new StandardInput() : (Stream)File.OpenRead(file);
        using var content = new MemoryStream();
        var block = new byte[64 * 1024];
        for (int count; (count = await source.ReadAsync(block, stop)) > 0;)
        {
            content.Write(block, 0, count);
            if (content.Length > BigData.LargestLength) throw new StorageException(new StorageError(StorageErrorCode.LimitExceeded, "read", $"{file} is larger than the {BigData.LargestLength} bytes that a document may have", file));
        }

        return content.ToArray();
    }
}
