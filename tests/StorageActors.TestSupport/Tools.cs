namespace StorageActors.TestSupport;

/// <summary>Programs that a fresh machine lacks: what a test compares with, or prepares its input with.</summary>
public static class Tools
{
    /// <summary>Where the program lies, installed now if need be; without it the test is skipped (tier "tools", of a compiler "headers").</summary>
    public static string Require(string program)
    {
        var (package, tier) = program switch
        {
            "bsdtar" => ("libarchive-tools", "tools"),
            "btrfs" => ("btrfs-progs", "tools"),
            "cc" => ("gcc libc6-dev", "headers"),   // without its recommendations gcc brings no headers
            "setpriv" => ("util-linux", "tools"),
            "setfattr" or "getfattr" => ("attr", "tools"),
            "xz" => ("xz-utils", "tools"),
            _ => (program, "tools"),
        };
        var found = Command.FindOrInstall(program, package);
        RequiredTiers.SkipUnless(found is not null, tier, $"needs {program}, of the package {package}");
        return found!;
    }
}
