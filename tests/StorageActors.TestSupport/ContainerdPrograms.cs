namespace StorageActors.TestSupport;

/// <summary>
/// containerd and all that it starts. Installed, Debian's package would start a service; so what the machine lacks is unpacked beside the cached
/// images, and found there by the next run.
/// </summary>
public static class ContainerdPrograms
{
    private static readonly string[] Needed = ["containerd", "containerd-shim-runc-v2", "ctr", "runc"];
    private static readonly Lazy<string?> Directories = new(Find);

    /// <summary>The directories of the programs, as PATH has them; without them the test is skipped (tier "clients").</summary>
    public static string Require()
    {
        RequiredTiers.SkipUnlessRoot();
        RequiredTiers.SkipUnless(Directories.Value is not null, "clients", $"needs {string.Join(", ", Needed)}, of the packages containerd and runc");
        return Directories.Value!;
    }

    private static string? Find()
    {
        if (Needed.All(static program => Command.Find(program) is not null))
            return string.Join(':', Needed.Select(static program => Path.GetDirectoryName(Command.Find(program))).Distinct(StringComparer.Ordinal));
        const string unpacked = "/var/cache/storage-actors-tests/containerd";
        if (!Directory.Exists(unpacked) && !Unpack(unpacked)) return null;
        return $"{unpacked}/usr/bin:{unpacked}/usr/sbin";
    }

    private static bool Unpack(string target)
    {
        if (Command.Find("apt-get") is null || Command.Find("dpkg") is null) return false;
        var scratch = Directory.CreateTempSubdirectory("storage-actors-containerd-").FullName;
        try
        {
            // apt-get saves to its working directory.
            var fetch = $"cd {scratch} && (apt-get download -q containerd runc || (apt-get update -q && apt-get download -q containerd runc))";
            if (Command.TryRun("sh", "-c", fetch) is not { ExitCode: 0 }) return false;
            foreach (var package in Directory.GetFiles(scratch, "*.deb")) Command.Run("dpkg", "-x", package, $"{scratch}/all");
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            Command.Run("cp", "-a", $"{scratch}/all", target + ".new");
            Directory.Move(target + ".new", target);
            return true;
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }
}
