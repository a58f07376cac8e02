namespace StorageActors.Trash;

/// <summary>What the trash (<c>/user/storage/trash</c>) accepts and answers.</summary>
internal static class TrashProtocol
{
    /// <summary>Something was renamed into the trash's home: delete it. No answer; a crash loses nothing, since the next start looks by itself.</summary>
    /// <param name="Path">Its absolute path.</param>
    internal sealed record Collect(string Path);

    /// <summary>Moves stagings whose owner is dead to the trash. Answers <see cref="Swept"/>.</summary>
    internal sealed record SweepStaging;

    /// <summary>The stale stagings are gone.</summary>
    /// <param name="Tickets">Their names.</param>
    internal sealed record Swept(IReadOnlyList<string> Tickets);

    /// <summary>Asks for what waits to be deleted. Answers <see cref="Backlog"/>.</summary>
    internal sealed record GetBacklog;

    /// <summary>What waits to be deleted.</summary>
    /// <param name="Trees">Directories, the one being deleted included.</param>
    /// <param name="Bytes">Allocated bytes of those that have been measured.</param>
    internal sealed record Backlog(int Trees, long Bytes);

    /// <summary>Asks to be told when the trash is empty or nothing more can be deleted. Answers <see cref="Emptied"/>.</summary>
    internal sealed record Empty;

    /// <summary>Everything that can be deleted is.</summary>
    /// <param name="Left">Trees that could not be; they are tried again later.</param>
    internal sealed record Emptied(int Left);
}
