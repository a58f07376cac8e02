using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using StorageActors.Drivers.Mounting;
using StorageActors.Linux;

namespace StorageActors.Drivers.Aufs;

/// <summary>The machine that this runs on.</summary>
internal sealed class AufsKernel : IAufsKernel
{
    internal static readonly AufsKernel Instance = new();
    private static readonly TimeSpan ProgramLimit = TimeSpan.FromMinutes(5);

    private AufsKernel()
    {
    }

    /// <inheritdoc/>
    public AufsMachine Examine(string root)
    {
        string? answer = null;
        if (!IsRegistered())
        {
            var loaded = Run("modprobe", "aufs");
            if (!IsRegistered()) answer = loaded is null ? "there is no modprobe" : loaded.Output.Trim() is { Length: > 0 } said ? said : $"exit code {loaded.ExitCode}";
        }

        return new AufsMachine(Libc.StatFs(root).Type, UserNamespace.IsOwn, IsRegistered(), answer, BranchLimit());
    }

    /// <inheritdoc/>
    public void Mount(string source, string target, string type, MountFlags flags, string data) =>
        Libc.Mount(source, target, type, flags, Encoding.UTF8.GetBytes(data));

    /// <inheritdoc/>
    public Errno TryUnmount(string target, UnmountFlags flags) => Libc.TryUmount2(target, flags);

    /// <inheritdoc/>
    public MountPoint.State? Find(string target) => MountPoint.Find(target);

    /// <inheritdoc/>
    public AuplinkRun? Flush(string target) => Run("auplink", target, "flush");

    /// <inheritdoc/>
    public void Pause(TimeSpan time) => Task.Delay(time, TimeProvider.System).GetAwaiter().GetResult();

    private static bool IsRegistered() =>
        File.ReadLines("/proc/filesystems").Any(static line => line.Split('\t', StringSplitOptions.TrimEntries) is [.., "aufs"]);

    /// <summary>A module says for how many branches it was built.</summary>
    private static int BranchLimit()
    {
        const string prefix = "CONFIG_AUFS_BRANCH_MAX_", config = "/sys/fs/aufs/config";
        if (!File.Exists(config)) return AufsMachine.DefaultBranchLimit;
        foreach (var line in File.ReadLines(config))
        {
            if (line.StartsWith(prefix, StringComparison.Ordinal) && line.EndsWith("=y", StringComparison.Ordinal)
                && int.TryParse(line.AsSpan(prefix.Length, line.Length - prefix.Length - 2), NumberStyles.None, CultureInfo.InvariantCulture, out var limit)) return limit;
        }

        return AufsMachine.DefaultBranchLimit;
    }

    private static AuplinkRun? Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) 
        {
            RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = "/",
        };
        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEndAsync();
            if (!process.WaitForExit(ProgramLimit))
            {
                process.Kill(entireProcessTree: true);
                return new AuplinkRun(-1, $"it did not end within {ProgramLimit}");
            }

            return new AuplinkRun(process.ExitCode, $"{output.GetAwaiter().GetResult()}{error.GetAwaiter().GetResult()}".Trim());
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
