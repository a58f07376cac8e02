namespace StorageActors.TestSupport;

/// <summary>
/// Daemons of Debian's packages and what they start. Installed, such a package would start a service; so what the machine lacks is unpacked beside the cached
/// images, and found there by the next run.
/// </summary>
public static class DebianPrograms
{
    /// <summary>Docker Engine with its client, its containerd and runc.</summary>
    public static string Docker() => Require(
        "docker", ["dockerd", "docker", "docker-init", "containerd", "containerd-shim-runc-v2", "runc", "iptables"],
        "docker.io containerd runc tini iptables libip4tc2 libip6tc2 libnetfilter-conntrack3 libnfnetlink0 libxtables12");

    /// <summary>containerd with its client and runc.</summary>
    public static string Containerd() => Require("containerd", ["containerd", "containerd-shim-runc-v2", "ctr", "runc"], "containerd runc");

    /// <summary>The directories of the programs, as PATH has them; without them the test is skipped (tier "clients").</summary>
    /// <param name="name">What they are kept as.</param>
    /// <param name="programs">What must be there.</param>
    /// <param name="packages">Where it comes from.</param>
    public static string Require(string name, IReadOnlyList<string> programs, string packages)
    {
        RequiredTiers.SkipUnlessRoot();
        var found = Find(name, programs, packages);
        RequiredTiers.SkipUnless(found is not null, "clients", $"needs {string.Join(", ", programs)}, of the packages {packages}");
        return found!;
    }

    private static string? Find(string name, IReadOnlyList<string> programs, string packages)
    {
        if (programs.All(static program => Command.Find(program) is not null))
            return string.Join(':', programs.Select(static program => Path.GetDirectoryName(Command.Find(program))).Distinct(StringComparer.Ordinal));
        var unpacked = $"/var/cache/storage-actors-tests/{name}";
        using var turn = Command.TakeTurn("apt");
        return Directory.Exists(unpacked) || Unpack(unpacked, packages) ? $"{unpacked}/usr/bin:{unpacked}/usr/sbin" : null;
    }

    private static bool Unpack(string target, string packages)
    {
        if (Command.Find("apt-get") is null || Command.Find("dpkg") is null) return false;
        // Beside the target: what is complete appears there by one rename.
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var scratch = Directory.CreateDirectory($"{target}-{Guid.NewGuid():N}.new").FullName;
        try
        {
            string[] download = ["download", .. packages.Split(' ')];
            if (Command.Apt(scratch, download) is not null && !Command.Insist($"download {packages}", () => Command.Apt(null, "update") ?? Command.Apt(scratch, download)))
                return false;
            foreach (var package in Directory.GetFiles(scratch, "*.deb")) Command.Run("dpkg", "-x", package, $"{scratch}/all");
            // Libraries are looked for beside the programs that need them, by LD_LIBRARY_PATH.
            Directory.Move($"{scratch}/all", target);
            return true;
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }
}
