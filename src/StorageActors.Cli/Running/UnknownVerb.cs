namespace StorageActors.Cli.Running;

/// <summary>A word that stands where a verb should.</summary>
internal static class UnknownVerb
{
    /// <summary>What other programs of this kind call our verbs.</summary>
    private static readonly Dictionary<string, string> ElsewhereCalled = new(StringComparer.Ordinal)
    {
        ["remove"] = "rm", ["rmi"] = "rm", ["delete"] = "rm", ["unmount"] = "umount", ["load"] = "import", ["pull"] = "import", ["save"] = "export", ["push"] = "export",
        ["list"] = "layers", ["ls"] = "layers", ["tag"] = "name", ["prune"] = "gc", ["serve"] = "node", ["version"] = "info", ["repair"] = "check",
    };

    /// <summary>The verb that was meant; null when none is like it.</summary>
    internal static string? Nearest(string written, IEnumerable<string> verbs)
    {
        if (ElsewhereCalled.TryGetValue(written, out var ours)) return ours;
        var near = Likeness.Nearest(written, verbs.Concat(ElsewhereCalled.Keys));
        return near is null ? null : ElsewhereCalled.GetValueOrDefault(near, near);
    }
}
