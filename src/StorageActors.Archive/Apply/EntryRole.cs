namespace StorageActors.Archive.Apply;

/// <summary>What an entry's name makes of it.</summary>
internal enum EntryRole
{
    /// <summary>A file, directory, link, … of the layer.</summary>
    Ordinary,

    /// <summary><c>.wh.NAME</c>: hides NAME of the layers below.</summary>
    Whiteout,

    /// <summary><c>.wh..wh..opq</c>: hides all that the layers below have in the directory.</summary>
    Opaque,

    /// <summary>A file of aufs's pseudo-link directory <c>.wh..wh.plnk</c>: hard links may name it.</summary>
    AufsLink,

    /// <summary>Anything else of aufs's own (<c>.wh..wh.…</c>): no part of the layer.</summary>
    AufsMetadata,

    /// <summary>A name that no layer can have: <c>.wh.</c>, <c>.wh..</c>, <c>.wh...</c>, or something below a whiteout.</summary>
    Invalid,
}

/// <summary>Reads the names that the OCI image specification and aufs give a meaning to.</summary>
internal static class EntryRoles
{
    private static ReadOnlySpan<byte> Prefix => ".wh."u8;

    private static ReadOnlySpan<byte> AufsPrefix => ".wh..wh."u8;

    private static ReadOnlySpan<byte> OpaqueName => ".wh..wh..opq"u8;

    private static ReadOnlySpan<byte> AufsLinks => ".wh..wh.plnk/"u8;

    /// <summary>The role of a clean path; for a whiteout, the name that it hides.</summary>
    internal static EntryRole Of(ReadOnlySpan<byte> path, out ReadOnlySpan<byte> hidden)
    {
        hidden = default;
        if (path.IndexOf(Prefix) < 0) return EntryRole.Ordinary;

        var parent = LayerPath.Split(path, out var name);
        if (path.StartsWith(AufsLinks) && parent.Length == AufsLinks.Length - 1 && !name.StartsWith(Prefix)) return EntryRole.AufsLink;
        for (var rest = parent; !rest.IsEmpty;)
        {
            var part = LayerPath.TakeFirst(ref rest);
            if (part.StartsWith(AufsPrefix)) return EntryRole.AufsMetadata;
            if (part.StartsWith(Prefix)) return EntryRole.Invalid;
        }

        if (!name.StartsWith(Prefix)) return EntryRole.Ordinary;
        if (name.SequenceEqual(OpaqueName)) return EntryRole.Opaque;
        if (name.StartsWith(AufsPrefix)) return EntryRole.AufsMetadata;
        hidden = name[Prefix.Length..];
        return hidden.IsEmpty || hidden.SequenceEqual("."u8) || hidden.SequenceEqual(".."u8) ? EntryRole.Invalid : EntryRole.Whiteout;
    }

    /// <summary>Whether a single component is reserved, so that nothing on disk may have it.</summary>
    internal static bool IsReserved(ReadOnlySpan<byte> component) => component.StartsWith(Prefix);

    /// <summary>The entry name of a whiteout in an archive.</summary>
    internal static byte[] WhiteoutOf(ReadOnlySpan<byte> name) => [.. Prefix, .. name];

    /// <summary>The entry name of an opaque mark in an archive.</summary>
    internal static byte[] OpaqueMark => OpaqueName.ToArray();
}
