using System.Diagnostics;

namespace StorageActors.UnitTests.Archive;

/// <summary>A directory of its own in which a test runs the tools that a user has.</summary>
internal sealed class Workshop : IDisposable
{
    internal string Root { get; } = Directory.CreateTempSubdirectory("workshop-").FullName;

    internal string File(string name) => Path.Combine(Root, name);

    /// <summary>Runs a script in the directory; fails with what it printed unless it succeeds.</summary>
    internal string Run(string script)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/bash", ["-euc", script])
        {
            UseShellExecute = false,
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["LC_ALL"] = "C", ["TZ"] = "UTC" },
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output
            : throw new InvalidOperationException($"{script}\nexit {process.ExitCode}\n{output}\n{errors.GetAwaiter().GetResult()}");
    }

    public void Dispose() => Run("chmod -R u+rwX . && cd / && rm -rf --one-file-system " + Root);
}
