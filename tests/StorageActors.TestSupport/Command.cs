using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;

namespace StorageActors.TestSupport;

/// <summary>A program that ran to its end.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Error);

/// <summary>Programs of the host that tests compare with or prepare with.</summary>
public static class Command
{
    private static readonly ConcurrentDictionary<string, Lazy<string?>> Installations = new(StringComparer.Ordinal);
    private static readonly Lazy<bool> RefreshLists = new(() => TryRun("apt-get", "update", "-q") is { ExitCode: 0 });

    /// <summary>Runs it and returns what it wrote; throws when it fails.</summary>
    public static string Run(string program, params IEnumerable<string> arguments)
    {
        var list = arguments.ToList();
        var result = TryRun(program, list);
        return result is { ExitCode: 0 } ? result.Output
            : throw new InvalidOperationException(
                $"{program} {string.Join(' ', list)}: {(result is null ? "no such program" : $"exit {result.ExitCode}: {result.Error}")}");
    }

    /// <summary>Runs it whatever it answers; null when there is no such program.</summary>
    public static CommandResult? TryRun(string program, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment["DEBIAN_FRONTEND"] = "noninteractive";
        start.Environment["LC_ALL"] = "C";
        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return new CommandResult(process.ExitCode, output, error.GetAwaiter().GetResult());
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    /// <summary>Where a program lies, also outside an ordinary user's PATH.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Append("/sbin")
        .Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists);

    /// <summary>
    /// Finds a program, installing its package (Debian's name; several are parted by spaces) when this is root on a machine with
    /// apt-get. What cannot be installed is not tried again by this process.
    /// </summary>
    public static string? FindOrInstall(string program, string package) =>
        Find(program) ?? Installations.GetOrAdd(program, _ => new Lazy<string?>(() => Install(program, package))).Value;

    private static string? Install(string program, string package)
    {
        if (Linux.Libc.GetEuid() != 0 || Find("apt-get") is null) return null;
        // One at a time on this machine: apt-get waits for dpkg's lock when it is told to, but never for that of its lists.
        using var turn = Linux.Libc.Open(
            Path.Combine(Path.GetTempPath(), "storage-actors-apt.lock"), Linux.OpenFlags.ReadWrite | Linux.OpenFlags.Create | Linux.OpenFlags.NoFollow, 0x180);
        Linux.Libc.LockWhole(turn, exclusive: true);
        if (Find(program) is { } found) return found;
        string[] install =
            ["install", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", .. package.Split(' ')];
        if (TryRun("apt-get", install) is not { ExitCode: 0 } && RefreshLists.Value) TryRun("apt-get", install);
        return Find(program);
    }
}
