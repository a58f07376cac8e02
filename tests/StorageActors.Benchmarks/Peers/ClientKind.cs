namespace StorageActors.Benchmarks.Peers;

/// <summary>What a client keeps its layers in.</summary>
internal enum Backing
{
    /// <summary>A node of ours that syncs nothing, as the clients' own layers do.</summary>
    OursUnsynced,

    /// <summary>A node of ours as it is by default.</summary>
    OursDurable,

    /// <summary>What the client brings itself.</summary>
    Own,
}

/// <summary>A client of layer stores.</summary>
/// <param name="Daemon">Its program.</param>
/// <param name="Work">What is done with it.</param>
/// <param name="Own">What it keeps layers with itself.</param>
internal sealed record ClientKind(string Daemon, string Work, string Own)
{
    internal static readonly ClientKind Containerd = new("containerd", "ctr image import, unpacked", "overlayfs");

    internal static readonly ClientKind Docker = new("dockerd", "docker load", "overlay2");

    internal string NameOf(Backing backing) => backing switch
    {
        Backing.OursUnsynced => $"{Daemon} on ours, unsynced",
        Backing.OursDurable => $"{Daemon} on ours, durable",
        _ => $"{Daemon} on its {Own}",
    };
}
