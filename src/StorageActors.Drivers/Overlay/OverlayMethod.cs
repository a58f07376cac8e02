namespace StorageActors.Drivers.Overlay;

/// <summary>The ways to make an overlay mount, best first. Which one works is probed, never derived from the kernel's version.</summary>
internal enum OverlayMethod
{
    /// <summary>New mount API, each layer by descriptor (6.13): any path, any length.</summary>
    Descriptors,

    /// <summary>New mount API, each layer by a short relative name (6.8).</summary>
    Names,

    /// <summary>mount(2) with one string of at most a page: about 140 layers by their short links.</summary>
    OptionString,
}
