using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Aufs;

/// <summary>What one aufs mount is made of.</summary>
/// <param name="Root">
/// The driver's home as the options are to name it: absolute, or empty for names relative to the caller's working directory. aufs knows no way to escape
/// the characters that part options and branches, so it has none of them.
/// </param>
/// <param name="Layer">The topmost layer.</param>
/// <param name="Ancestors">The layers below it, nearest first.</param>
/// <param name="Writable">Whether the topmost layer takes the writes.</param>
/// <param name="Flags">Flags of the mount; a remount says them again, since what it does not say it takes away.</param>
/// <param name="Label">The SELinux label of all files; empty for none.</param>
/// <param name="Dirperm1">Whether the kernel is to look at the permissions of the topmost directory alone.</param>
/// <param name="Xino">The file for the table of inode numbers; in memory, so that no layer gets it.</param>
internal sealed record BranchStack(
    string Root, LayerId Layer, IReadOnlyList<LayerId> Ancestors, bool Writable, MountFlags Flags, string Label, bool Dirperm1, string Xino)
{
    /// <summary>What separates options, branches and their permissions in an option string.</summary>
    internal static readonly System.Buffers.SearchValues<char> Separators = System.Buffers.SearchValues.Create(",:=\\\n");

    /// <summary>The path of a layer's content as the options name it.</summary>
    internal string PathOf(LayerId layer) => Root.Length == 0 ? $"{layer}/diff" : $"{Root}/{layer}/diff";
}
