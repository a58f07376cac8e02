using StorageActors.Grpc.Calls;

namespace StorageActors.Containerd.Snapshots;

/// <summary>What a field mask makes of a snapshot's labels; everything else of a snapshot cannot be changed.</summary>
internal static class LabelUpdate
{
    private const string All = "labels";
    private const string One = "labels.";

    /// <summary>The labels after the update.</summary>
    /// <param name="now">The labels before it.</param>
    /// <param name="given">Those in the request.</param>
    /// <param name="paths">The mask; empty for all that can be changed.</param>
    /// <exception cref="GrpcException">A path names what cannot be changed.</exception>
    internal static IReadOnlyDictionary<string, string> Apply(
        IReadOnlyDictionary<string, string> now, IReadOnlyDictionary<string, string> given, IReadOnlyList<string> paths)
    {
        if (paths.Count == 0) return WithoutEmpty(given);
        var labels = now.ToDictionary(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            if (path == All)
            {
                labels = given.ToDictionary(StringComparer.Ordinal);
            }
            else if (path.StartsWith(One, StringComparison.Ordinal) && path.Length > One.Length)
            {
                var key = path[One.Length..];
                labels[key] = given.GetValueOrDefault(key, "");
            }
            else
            {
                throw new GrpcException(GrpcStatusCode.InvalidArgument, $"{path} of a snapshot cannot be changed");
            }
        }

        return WithoutEmpty(labels);
    }

    private static Dictionary<string, string> WithoutEmpty(IReadOnlyDictionary<string, string> labels) =>
        labels.Where(static label => label.Value.Length > 0).ToDictionary(StringComparer.Ordinal);
}
