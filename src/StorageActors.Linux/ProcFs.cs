using System.Globalization;

namespace StorageActors.Linux;

/// <summary>What procfs tells about this boot and its processes.</summary>
internal static class ProcFs
{
    /// <summary>Differs from boot to boot: what a record of an earlier boot says about mounts and processes is void.</summary>
    internal static string BootId() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    /// <summary>When a process started, in clock ticks since boot; null when there is none. With its number it names one process for this boot.</summary>
    internal static long? StartTime(int pid)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            // The second field is the program's name in parentheses, which may hold anything: count from its last one.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return long.Parse(fields[19], CultureInfo.InvariantCulture);
        }
        catch (IOException)   // no such process, or it ended while it was being read
        {
            return null;
        }
    }
}
