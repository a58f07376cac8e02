namespace StorageActors.Trash;

/// <summary>What the trash (<c>/user/storage/trash</c>) accepts and answers.</summary>
internal static class TrashProtocol
{
    /// <summary>Something was renamed into the trash's home: delete it. No answer; a crash loses nothing, since the next start looks by itself.</summary>
    /// <param name="Path">Its absolute path; null (there was nothing to rename) is ignored.</param>
    internal sealed record Collect(string? Path);

    /// <summary>Moves stagings whose owner is dead to the trash. Answers <see cref="Swept"/>. Done by itself from time to time, too.</summary>
    /// <param name="AtStart">Nothing is being made now, so half-made images go as well.</param>
    internal sealed record SweepStaging(bool AtStart = false);

    /// <summary>The stale stagings are in the trash.</summary>
    /// <param name="Names">What they were called.</param>
    internal sealed record Swept(IReadOnlyList<string> Names);

    /// <summary>Asks for what waits to be deleted. Answers <see cref="Backlog"/>.</summary>
    internal sealed record GetBacklog;

    /// <summary>What waits to be deleted.</summary>
    /// <param name="Trees">Directories, the one being deleted included.</param>
    /// <param name="Bytes">Allocated bytes of those that have been measured.</param>
    internal sealed record Backlog(int Trees, long Bytes);

    /// <summary>
    /// Asks to be told when all that can be deleted is; what failed before is tried again. Answers <see cref="Emptied"/>; with
    /// <paramref name="Tell"/>, before that, a <see cref="Backlog"/> each time that there is less.
    /// </summary>
    internal sealed record Empty(bool Tell = false);

    /// <summary>Everything that can be deleted is.</summary>
    /// <param name="Left">Trees that could not be; they are tried again from time to time.</param>
    internal sealed record Emptied(int Left);
}
