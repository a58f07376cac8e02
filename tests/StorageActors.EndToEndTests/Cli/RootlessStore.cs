using System.Diagnostics;
using System.Text;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>
/// A store of an ordinary user, who has root's rights in a user namespace alone. Each script is run in a namespace of its own, with mounts of its own, that ends with it: <c>$S</c> is the
/// command, <c>$D</c> a directory for files beside the store. Where an ordinary user may make no namespace, or cannot run the command, since it was built where only root may go, root takes
/// his part, who has no more rights in there. Skips where the kernel lets nobody mount an overlay like that.
/// </summary>
internal sealed class RootlessStore : IDisposable
{
    private const uint OrdinaryUser = 61_234;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(8);

    private readonly TempDirectory? _disk;
    private readonly TempDirectory _directory;
    private uint _user;

    /// <param name="onTmpfs">Whether it lies in memory; else on an ext4.</param>
    internal RootlessStore(bool onTmpfs = false)
    {
        RequiredTiers.SkipUnlessRoot();
        Tools.Require("setpriv");
        Tools.Require("setfattr");
        Tools.Require("getfattr");
        if (onTmpfs)
        {
            _disk = new TempDirectory();
            Libc.Mount("tmpfs", _disk.Path, "tmpfs", MountFlags.None, Encoding.ASCII.GetBytes("mode=0711"));
        }

        try
        {
            _directory = onTmpfs ? new TempDirectory(_disk!.Path) : LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
            Choose();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal string Root => _directory["store"];

    /// <summary>Who owns it on the machine.</summary>
    internal uint User => _user;

    /// <summary>A path beside the store.</summary>
    internal string this[string name] => _directory[name];

    /// <summary>Writes a file that a script reads.</summary>
    internal void Write(string name, byte[] content) => File.WriteAllBytes(this[name], content);

    /// <summary>Runs a script of sh to its end in a new namespace.</summary>
    internal async Task<CliResult> RunAsync(string script)
    {
        using var process = Start(script);
        process.StandardInput.Close();
        return await EndAsync(process);
    }

    /// <summary>Starts one, which may read from stdin.</summary>
    internal Process Start(string script)
    {
        var start = new ProcessStartInfo("setpriv", [.. Dropping(_user), "unshare", "--user", "--map-root-user", "--mount", "--propagation", "slave", "sh", "-euc", script])
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/",
        };
        foreach (var (name, value) in new[] { ("STORAGE_ACTORS_ROOT", Root), ("S", CliProcess.Executable), ("D", _directory.Path), ("HOME", _directory.Path), ("LC_ALL", "C") })
            start.Environment[name] = value;
        start.Environment.Remove("XDG_RUNTIME_DIR");
        return Process.Start(start)!;
    }

    /// <summary>Reads all that a script prints and waits for its end.</summary>
    internal static async Task<CliResult> EndAsync(Process process)
    {
        using var late = new CancellationTokenSource(Longest);
        using var output = new MemoryStream();
        try
        {
            var error = process.StandardError.ReadToEndAsync(late.Token);
            await process.StandardOutput.BaseStream.CopyToAsync(output, late.Token);
            await process.WaitForExitAsync(late.Token);
            return new CliResult(process.ExitCode, output.ToArray(), await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>Waits for a line that a script is to print first; where it does not, the script is ended, and what it said is shown.</summary>
    internal static async Task AwaitLineAsync(Process process, string line)
    {
        using var late = new CancellationTokenSource(Longest);
        try
        {
            if (await process.StandardOutput.ReadLineAsync(late.Token) is var printed && printed == line) return;
            process.StandardInput.Close();
            Assert.Fail($"\"{printed}\" instead of \"{line}\": {(await EndAsync(process)).Error}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>
    /// Waits until the kernel has taken down the mount of a namespace that ended, which it does after the last process has gone: until then the layer is written to by
    /// whoever was there.
    /// </summary>
    internal async Task UnusedAsync(string layer)
    {
        using var late = new CancellationTokenSource(Longest);
        // No directory can be upper and work, which the kernel finds after it has asked who uses the upper one.
        var ask = $"""
            mkdir -p "$D/ask/lower" "$D/ask/merged"
            U="$STORAGE_ACTORS_ROOT/overlay/{layer}/diff"
            ! mount -t overlay overlay -o "userxattr,index=on,lowerdir=$D/ask/lower,upperdir=$U,workdir=$U" "$D/ask/merged" 2>&1
            """;
        while ((await RunAsync(ask)).Exits(0).Text.Contains("busy", StringComparison.Ordinal)) await Task.Delay(20, late.Token);
    }

    /// <summary>What an interrupted or refused verb must not leave.</summary>
    internal IEnumerable<string> Leftovers() => new[] { "staging", "trash" }.Select(name => Path.Combine(Root, name)).Where(Directory.Exists).SelectMany(Directory.EnumerateFileSystemEntries);

    public void Dispose()
    {
        _directory?.Dispose();
        if (_disk is null) return;
        TempDirectory.Unmount(_disk.Path);
        _disk.Dispose();
    }

    /// <summary>The first who can do all that a store takes.</summary>
    private void Choose()
    {
        var failures = new List<string>();
        foreach (var user in (uint[])[OrdinaryUser, 0])
        {
            _user = user;
            Libc.FChown(_directory.Handle, user, user);
            if (Probe() is not { } failure) return;
            failures.Add($"user {user}: {failure}");
        }

        Skip.If(true, $"no overlay in a user namespace here: {string.Join("; ", failures)}");
    }

    /// <summary>Why it does not work, in one line; null when it does.</summary>
    private string? Probe()
    {
        using var process = Start($$"""
            mkdir "$D/probe-{{_user}}"; cd "$D/probe-{{_user}}"; mkdir l u w m
            mount -t overlay overlay -o userxattr,lowerdir=l,upperdir=u,workdir=w m
            umount m; setfattr -n user.probe -v 1 u
            "$S" --version > version
            """);
        process.StandardInput.Close();
        var end = Task.Run(() => EndAsync(process)).GetAwaiter().GetResult();
        return end.ExitCode == 0 ? null : $"exit {end.ExitCode}, {end.Error.Trim().ReplaceLineEndings(" ")}";
    }

    private static string[] Dropping(uint user) => user == 0 ? ["--"] : ["--reuid", $"{user}", "--regid", $"{user}", "--clear-groups", "--"];
}
