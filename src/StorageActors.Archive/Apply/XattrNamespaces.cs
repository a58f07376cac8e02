namespace StorageActors.Archive.Apply;

/// <summary>Attributes that every driver treats alike.</summary>
internal static class XattrNamespaces
{
    internal static ReadOnlySpan<byte> Capability => "security.capability"u8;

    internal static ReadOnlySpan<byte> DefaultAcl => "system.posix_acl_default"u8;

    internal static ReadOnlySpan<byte> AccessAcl => "system.posix_acl_access"u8;

    internal static ReadOnlySpan<byte> User => "user."u8;

    /// <summary>What an archive's attribute means anywhere: labels of the host that made it are nobody else's.</summary>
    internal static XattrRule OnExtract(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("security.selinux"u8) || name.SequenceEqual("system.nfs4_acl"u8) ? XattrRule.Ignore : XattrRule.Keep;

    /// <summary>What of a file goes into an archive: what containers see of it, not what the host does with it.</summary>
    internal static XattrRule OnArchive(ReadOnlySpan<byte> name) =>
        name.StartsWith(User) || name.SequenceEqual(Capability) || name.SequenceEqual("security.ima"u8)
        || name.SequenceEqual(AccessAcl) || name.SequenceEqual(DefaultAcl) ? XattrRule.Keep : XattrRule.Ignore;

    /// <summary>Attributes of the host that a file may carry beside those of its entry.</summary>
    internal static bool IsOfHost(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("security.selinux"u8) || name.SequenceEqual("security.evm"u8) || name.SequenceEqual("system.nfs4_acl"u8);

    /// <summary>Attributes that may well be refused without the file being less for it.</summary>
    internal static bool IsMeasurement(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("security.ima"u8) || name.SequenceEqual("security.evm"u8);
}
