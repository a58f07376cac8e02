using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Protocol;

namespace StorageActors.Cli.Running;

/// <summary>Runs a verb: signals cancel it, whatever it throws becomes one error line and an exit code.</summary>
internal static class VerbRunner
{
    internal static async Task<int> RunAsync(Verb verb, ParseResult parsed)
    {
        var output = new Printer(parsed.GetValue(GlobalOptions.Json), parsed.GetValue(GlobalOptions.Quiet));
        using var signals = new Signals();
        try
        {
            var exit = await verb.RunAsync(new Invocation(verb.Name, parsed, output, signals.Stop));
            output.Flush();
            return exit;
        }
        catch (Exception e)
        {
            output.Flush();
            return Report(verb.Name, e, signals.ExitCode, output, parsed.GetValue(GlobalOptions.LogLevel) == "debug");
        }
    }

    private static int Report(string verb, Exception exception, int signalled, Printer output, bool debug)
    {
        var error = Failure.Of(exception);
        // What fails after a signal fails because of it, as a rule; only damage is news.
        var interrupted = signalled != 0 && ExitCode.Of(error.Code) != ExitCode.Damaged;
        if (interrupted) error = new StorageError(StorageErrorCode.Cancelled, verb, "interrupted; nothing is left behind");
        output.Error(verb, error);
        if (debug) output.Note(exception.ToString());
        return interrupted ? signalled : ExitCode.Of(error.Code);
    }
}
