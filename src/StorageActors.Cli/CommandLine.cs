using System.CommandLine;
using System.CommandLine.Invocation;
using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Cli.Verbs;
using StorageActors.Protocol;

namespace StorageActors.Cli;

/// <summary>The whole command line: global options and verbs, in the order in which help lists them.</summary>
internal static class CommandLine
{
    private static RootCommand Build()
    {
        var root = new RootCommand("A store for container-image layers: takes layer tars, stacks and mounts them, gives them back byte for byte.");
        foreach (var option in GlobalOptions.All) root.Add(option);
        Verb[] verbs =
        [
            new ImportVerb(), new ExportVerb(), new ImagesVerb(), new LayersVerb(), new InspectVerb(), new ApplyVerb(), new CreateVerb(),
            new CommitVerb(), new MountVerb(), new UmountVerb(), new PsVerb(), new DiffVerb(), new ChangesVerb(), new RmVerb(), new NameVerb(),
            new DfVerb(), new CheckVerb(), new GcVerb(), new StatsVerb(), new InfoVerb(), new NodeVerb(), new DemoVerb(), new CompletionVerb(),
        ];
        foreach (var verb in verbs) root.Add(verb);
        return root;
    }

    internal static async Task<int> RunAsync(string[] arguments)
    {
        // A name may begin with @; it is no file of further arguments.
        var parsed = Build().Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is ParseErrorAction) return Refuse(parsed, arguments);
        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            // Signals and failures are the verbs' own; see VerbRunner.
            ProcessTerminationTimeout = null,
            EnableDefaultExceptionHandler = false,
            Output = new StreamWriter(new StandardOutput()) { AutoFlush = true },
        });
    }

    private static int Refuse(ParseResult parsed, string[] arguments)
    {
        var verb = parsed.CommandResult.Command is Verb command ? command.Name : null;
        var reason = verb is null && parsed.UnmatchedTokens is [var unknown, ..]
            ? $"there is no verb {unknown}."
            : string.Join(' ', parsed.Errors.Select(static error => error.Message.TrimEnd('.') + '.').Distinct(StringComparer.Ordinal));
        var help = verb is null ? "storage-actors --help" : $"storage-actors {verb} --help";
        var error = new StorageError(StorageErrorCode.InvalidArgument, "parse", $"{reason} See {help}.");
        new Printer(arguments.Contains("--json", StringComparer.Ordinal), quiet: false).Error(verb ?? "usage", error);
        return ExitCode.WrongUsage;
    }
}
