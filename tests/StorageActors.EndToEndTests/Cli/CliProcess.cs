using System.Diagnostics;
using System.Text;
using System.Text.Json;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>What a run of the command left: its exit code and all that it printed.</summary>
public sealed record CliResult(int ExitCode, byte[] Bytes, string Error)
{
    internal string Text => Encoding.UTF8.GetString(Bytes);

    internal string Line => Text.TrimEnd('\n');

    internal string[] Lines => Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    internal JsonElement Json => JsonDocument.Parse(Bytes).RootElement;

    /// <summary>Fails with what the command said when it ended otherwise.</summary>
    internal CliResult Exits(int code)
    {
        Assert.True(ExitCode == code, $"exit {ExitCode}, not {code}; stderr: {Error}; stdout: {Text}");
        return this;
    }
}

/// <summary>The built command as a child process, as a user starts it.</summary>
public sealed class CliProcess : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(8);
    private readonly Process _process;

    private CliProcess(Process process) => _process = process;

    /// <summary>Where the built command is; the test project's build copies it.</summary>
    internal static string Executable { get; } = Path.Combine(AppContext.BaseDirectory, "storage-actors");

    internal int Id => _process.Id;

    internal StreamReader Error => _process.StandardError;

    internal Stream Input => _process.StandardInput.BaseStream;

    internal Stream Output => _process.StandardOutput.BaseStream;

    internal static CliProcess Start(IReadOnlyDictionary<string, string> environment, params IEnumerable<string> arguments)
    {
        // A test run in the background of a script ignores SIGINT, and children inherit that: a user's shell does not.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", "--default-signal=TERM", Executable, .. arguments])
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return new CliProcess(Process.Start(start)!);
    }

    /// <summary>Runs to the end, with these bytes on stdin.</summary>
    internal static async Task<CliResult> RunAsync(IReadOnlyDictionary<string, string> environment, byte[]? input, params IEnumerable<string> arguments)
    {
        using var process = Start(environment, arguments);
        var ended = process.EndAsync();
        try
        {
            if (input is not null) await process.Input.WriteAsync(input);
            process.Input.Close();
        }
        catch (IOException)
        {
            // It has stopped reading; how it ended will tell why.
        }

        return await ended;
    }

    /// <summary>Runs to the end with a pipe for stdout that nobody reads: its other end is closed before the command begins.</summary>
    internal static async Task<CliResult> RunUnreadAsync(IReadOnlyDictionary<string, string> environment, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("sh", ["-c", "read go; exec \"$0\" \"$@\"", Executable, .. arguments])
        {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardOutput.Close();
        await process.StandardInput.WriteAsync("go\n");
        process.StandardInput.Close();
        using var late = new CancellationTokenSource(Longest);
        var error = await process.StandardError.ReadToEndAsync(late.Token);
        await process.WaitForExitAsync(late.Token);
        return new CliResult(process.ExitCode, [], error);
    }

    /// <summary>Reads all that it prints and waits for its end.</summary>
    internal async Task<CliResult> EndAsync()
    {
        using var late = new CancellationTokenSource(Longest);
        using var output = new MemoryStream();
        var error = _process.StandardError.ReadToEndAsync(late.Token);
        await _process.StandardOutput.BaseStream.CopyToAsync(output, late.Token);
        await _process.WaitForExitAsync(late.Token);
        return new CliResult(_process.ExitCode, output.ToArray(), await error);
    }

    internal bool HasEnded => _process.HasExited;

    internal void Signal(string name) => Command.Run("kill", $"-{name}", $"{Id}");

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }
}
