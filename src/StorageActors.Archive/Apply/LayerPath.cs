using StorageActors.Archive.Tar;

namespace StorageActors.Archive.Apply;

/// <summary>Names of entries as paths below a layer's root.</summary>
internal static class LayerPath
{
    /// <summary>NAME_MAX, the same on every Linux file system.</summary>
    internal const int MaxComponent = 255;

    /// <summary>PATH_MAX without the NUL.</summary>
    internal const int MaxLength = 4095;

    /// <summary>Components in a path.</summary>
    internal const int MaxDepth = 1024;

    /// <summary>
    /// Cleans a name lexically: no slash at either end, no empty component, no <c>.</c>; empty for the root. Null in
    /// <paramref name="fault"/>, or why the name is refused (<c>..</c>, too long, too deep).
    /// </summary>
    internal static ReadOnlySpan<byte> Clean(ReadOnlySpan<byte> name, ByteBuffer scratch, out string? fault)
    {
        while (true)
        {
            if (name.StartsWith("/"u8)) name = name[1..];
            else if (name.StartsWith("./"u8)) name = name[2..];
            else break;
        }

        name = name.TrimEnd((byte)'/');
        if (name.IndexOf("//"u8) >= 0 || name.IndexOf("/./"u8) >= 0 || name.EndsWith("/."u8) || name.SequenceEqual("."u8)) name = Rebuild(name, scratch);
        fault = FaultOf(name);
        return name;
    }

    /// <summary>Splits a clean path into the parent (empty for the root) and the last component.</summary>
    internal static ReadOnlySpan<byte> Split(ReadOnlySpan<byte> path, out ReadOnlySpan<byte> name)
    {
        var slash = path.LastIndexOf((byte)'/');
        name = path[(slash + 1)..];
        return slash < 0 ? default : path[..slash];
    }

    /// <summary>Takes the first component off a path that need not be clean; empty when there is none left.</summary>
    internal static ReadOnlySpan<byte> TakeFirst(ref ReadOnlySpan<byte> path)
    {
        path = path.TrimStart((byte)'/');
        var slash = path.IndexOf((byte)'/');
        var first = slash < 0 ? path : path[..slash];
        path = path[first.Length..];
        return first;
    }

    /// <summary>Joins a directory's path and a name.</summary>
    internal static byte[] Join(ReadOnlySpan<byte> directory, ReadOnlySpan<byte> name)
    {
        if (directory.IsEmpty) return name.ToArray();
        var path = new byte[directory.Length + 1 + name.Length];
        directory.CopyTo(path);
        path[directory.Length] = (byte)'/';
        name.CopyTo(path.AsSpan(directory.Length + 1));
        return path;
    }

    private static ReadOnlySpan<byte> Rebuild(ReadOnlySpan<byte> name, ByteBuffer scratch)
    {
        scratch.Clear();
        foreach (var range in name.Split((byte)'/'))
        {
            var part = name[range];
            if (part.IsEmpty || part.SequenceEqual("."u8)) continue;
            if (scratch.Length > 0) scratch.Append((byte)'/');
            scratch.Append(part);
        }

        return scratch.Span;
    }

    private static string? FaultOf(ReadOnlySpan<byte> name)
    {
        if (name.Length > MaxLength) return $"its name has {name.Length} bytes, where a path may have {MaxLength}";
        // The common short name cannot be too deep, and has no long component.
        if (name.Length <= MaxComponent && name.IndexOf(".."u8) < 0) return null;
        var depth = 0;
        foreach (var range in name.Split((byte)'/'))
        {
            var part = name[range];
            if (part.SequenceEqual(".."u8)) return "its name leads upwards (..)";
            if (part.Length > MaxComponent) return $"a part of its name has {part.Length} bytes, where a file's name may have {MaxComponent} (ENAMETOOLONG)";
            depth++;
        }

        return depth > MaxDepth ? $"it lies {depth} directories deep, where {MaxDepth} are allowed" : null;
    }
}
