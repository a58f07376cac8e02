using System.ComponentModel;
using System.Diagnostics;

namespace StorageActors.TestSupport;

/// <summary>A program that ran to its end.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Error);

/// <summary>Programs of the host that tests compare with or prepare with.</summary>
public static class Command
{
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

    /// <summary>Finds a program, installing its package (Debian's name) when this is root on a machine with apt-get.</summary>
    public static string? FindOrInstall(string program, string package)
    {
        if (Find(program) is { } found) return found;
        if (Linux.Libc.GetEuid() != 0 || Find("apt-get") is null) return null;
        string[] install = ["install", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", package];
        if (TryRun("apt-get", install) is not { ExitCode: 0 })
        {
            TryRun("apt-get", "update", "-q");
            TryRun("apt-get", install);
        }
        return Find(program);
    }
}
