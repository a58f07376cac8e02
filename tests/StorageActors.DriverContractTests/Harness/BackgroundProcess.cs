using System.Diagnostics;

namespace StorageActors.DriverContractTests.Harness;

/// <summary>A program that runs while a test looks at what it holds; killed on disposal.</summary>
internal sealed class BackgroundProcess : IDisposable
{
    private readonly Process _process;

    private BackgroundProcess(Process process) => _process = process;

    internal int Id => _process.Id;

    /// <summary>Runs it in a directory; when this returns it is that program, no longer a copy of the test.</summary>
    internal static BackgroundProcess Start(string directory, string program, params string[] arguments) =>
        new(Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = directory, RedirectStandardOutput = true, UseShellExecute = false })!);

    /// <summary>Waits until it has said something.</summary>
    internal string? ReadLine() => _process.StandardOutput.ReadLine();

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }
}
