using System.Diagnostics;

namespace StorageActors.DriverContractTests.Harness;

/// <summary>A program that runs while a test looks at what it holds; killed on disposal.</summary>
internal sealed class BackgroundProcess : IDisposable
{
    private readonly Process _process;

    private BackgroundProcess(Process process) => _process = process;

    internal int Id => _process.Id;

    /// <summary>Runs it in a directory; when this returns it is that program, no longer a copy of the test, and has its arguments.</summary>
    internal static BackgroundProcess Start(string directory, string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = directory, RedirectStandardOutput = true, UseShellExecute = false })!;
        // The kernel knows a program's name a moment before its arguments.
        SpinWait.SpinUntil(() => process.HasExited || HasArguments(process), TimeSpan.FromMinutes(1));
        return new BackgroundProcess(process);
    }

    private static bool HasArguments(Process process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process.Id}/cmdline").Length > 0;
        }
        catch (IOException)
        {
            return false; // It has ended meanwhile.
        }
    }

    /// <summary>Waits until it has said something.</summary>
    internal string? ReadLine() => _process.StandardOutput.ReadLine();

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }
}
