using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;

namespace StorageActors.TestSupport;

/// <summary>A program that ran to its end.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Error);

/// <summary>Programs of the host that tests compare with or prepare with.</summary>
public static class Command
{
    private const int Attempts = 4;
    private static volatile bool _isHopeless;
    private static readonly ConcurrentDictionary<string, Lazy<string?>> Installations = new(StringComparer.Ordinal);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

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

    /// <summary>
    /// Does something that asks other machines, or waits for another program of this one: several times, with a pause before each further try. What failed is told
    /// on stderr. When all was in vain once, this process is on a machine without a network, and tries but once from then on.
    /// </summary>
    /// <param name="what">What it is, for people.</param>
    /// <param name="attempt">Does it; says why it failed, or null.</param>
    internal static bool Insist(string what, Func<string?> attempt)
    {
        for (var round = 1; ; round++)
        {
            if (attempt() is not { } failure) return true;
            Console.Error.WriteLine($"{what}: attempt {round} of {Attempts}: {failure}");
            if (round == Attempts || _isHopeless)
            {
                _isHopeless = true;
                return false;
            }

            Task.Delay(Pause * round).GetAwaiter().GetResult();
        }
    }

    /// <summary>A lock that all tests on this machine share, until it is disposed: for what only one may do at a time, and the others then find done.</summary>
    internal static IDisposable TakeTurn(string name)
    {
        var turn = Linux.Libc.Open(
            Path.Combine(Path.GetTempPath(), $"storage-actors-{name}.lock"), Linux.OpenFlags.ReadWrite | Linux.OpenFlags.Create | Linux.OpenFlags.NoFollow, 0x180);
        Linux.Libc.LockWhole(turn, exclusive: true);
        return turn;
    }

    /// <summary>Runs apt-get, which is told to wait for whoever has dpkg's lock, to try each download again, and to ask nothing; why it failed, or null.</summary>
    internal static string? Apt(string? directory, params IEnumerable<string> arguments)
    {
        string[] all = ["-q", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=3", "-o", "Acquire::http::Timeout=30", .. arguments];
        // apt-get saves what it downloads to its working directory.
        var result = directory is null ? TryRun("apt-get", all) : TryRun("sh", ["-c", "cd \"$0\" && exec apt-get \"$@\"", directory, .. all]);
        return result is { ExitCode: 0 } ? null : $"apt-get {string.Join(' ', arguments)}: {result?.Error.Trim().Split('\n')[^1] ?? "there is none"}";
    }

    private static string? Install(string program, string package)
    {
        if (Linux.Libc.GetEuid() != 0 || Find("apt-get") is null) return null;
        // One at a time on this machine: apt-get waits for dpkg's lock, but never for that of its lists.
        using var turn = TakeTurn("apt");
        if (Find(program) is { } found) return found;
        string[] install = ["install", "-y", "--no-install-recommends", .. package.Split(' ')];
        if (Apt(null, install) is not null) Insist($"install {package}", () => Apt(null, "update") ?? Apt(null, install));
        return Find(program);
    }
}
