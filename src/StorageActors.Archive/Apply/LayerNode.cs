using System.Runtime.InteropServices;

namespace StorageActors.Archive.Apply;

/// <summary>What a path of the layer is.</summary>
internal enum NodeKind : byte
{
    /// <summary>Nothing (yet): the path only leads to one that is hidden, or what was here is gone.</summary>
    None,

    Directory,
    File,
    SymbolicLink,

    /// <summary>A device or fifo.</summary>
    Special,

    /// <summary>A hard link whose target this layer does not have (yet).</summary>
    PendingLink,
}

/// <summary>What is known about a path of the layer.</summary>
[Flags]
internal enum NodeState : byte
{
    None = 0,

    /// <summary>The layer has something here: an entry of its own, or a directory that another entry needs.</summary>
    Written = 1,

    /// <summary>It has an entry of its own, which says its attributes.</summary>
    Explicit = 2,

    /// <summary>The name is hidden, and nothing of the layer stands here.</summary>
    Whiteout = 4,

    /// <summary>A directory whose lower content is hidden.</summary>
    Opaque = 8,

    /// <summary>What the layers below have under this name is gone, so nothing is inherited from it.</summary>
    Recreated = 16,

    /// <summary>A directory of the layers below that is in the same tree; its times are kept.</summary>
    Adopted = 32,

    /// <summary>The record of the archive takes this entry's payload from the file.</summary>
    HasPayload = 64,

    /// <summary>Another name of an earlier entry.</summary>
    HardLink = 128,
}

/// <summary>One path of the layer, as a node of its <see cref="LayerTree"/>.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct LayerNode
{
    internal int Parent;
    internal int FirstChild;    // 0: none
    internal int NextSibling;   // 0: none
    internal int NextInBucket;
    internal int NameAt;
    internal byte NameLength;
    internal NodeKind Kind;
    internal NodeState State;

    /// <summary>Directory: its attributes. Symbolic link: its target. Pending link: its target's path.</summary>
    internal int Data;

    /// <summary>Number of the entry, from 0, that made it what it is.</summary>
    internal long Entry;

    internal readonly bool Is(NodeState state) => (State & state) != 0;
}

/// <summary>What a directory is to have once all is in it.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct DirectoryAttributes
{
    internal uint UserId;
    internal uint GroupId;
    internal uint Mode;

    /// <summary>The mode it has now.</summary>
    internal uint CurrentMode;
    internal Linux.TimeSpec Access;
    internal Linux.TimeSpec Modify;

    /// <summary>The time of the entry that an implied directory was made for.</summary>
    internal Linux.TimeSpec Cause;

    /// <summary>Set last, since files made in the directory would inherit it.</summary>
    internal byte[]? DefaultAcl;
}
