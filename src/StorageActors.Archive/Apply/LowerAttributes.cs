using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>Gives something of a layer the attributes that something below it has.</summary>
internal static class LowerAttributes
{
    /// <summary>Owner, xattrs, mode and times, in the order in which none undoes another. An empty name means the descriptor itself.</summary>
    internal static void Copy(LowerEntry from, SafeFileHandle directory, ReadOnlySpan<byte> name, ExtractTarget target)
    {
        if (name.IsEmpty) target.Owners.Set(directory, from.Status.UserId, from.Status.GroupId);
        else target.Owners.Set(directory, name, from.Status.UserId, from.Status.GroupId);
        CopyXattrs(from, directory, name, target);
        if (!from.Status.IsSymbolicLink)
        {
            if (name.IsEmpty) Libc.FChmod(directory, from.Status.Permissions);
            else Libc.FChmodAt(directory, name, from.Status.Permissions);
        }

        if (name.IsEmpty) Libc.FUtimens(directory, from.Status.AccessTime, from.Status.ModifyTime);
        else Libc.UtimensAt(directory, name, from.Status.AccessTime, from.Status.ModifyTime);
    }

    private static void CopyXattrs(LowerEntry from, SafeFileHandle directory, ReadOnlySpan<byte> name, ExtractTarget target)
    {
        foreach (var attribute in Libc.ListXattrAt(from.Root, from.Path))
        {
            if (target.Whiteouts.IsPrivate(attribute) || XattrNamespaces.IsOfHost(attribute)) continue;
            if (Libc.GetXattrAt(from.Root, from.Path, attribute) is not { } value) continue;
            Libc.SetXattrAt(directory, name, attribute, target.Owners.Ids.ToHost(attribute, from.Ids.ToContainer(attribute, value, from.Path)));
        }
    }
}
