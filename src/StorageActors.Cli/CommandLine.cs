using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Cli.Verbs;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Cli;

/// <summary>The whole command line: global options and verbs, in the order in which help lists them.</summary>
internal static class CommandLine
{
    private static readonly (string Name, Func<Verb> Make)[] Verbs =
    [
        ("import", static () => new ImportVerb()), ("export", static () => new ExportVerb()), ("images", static () => new ImagesVerb()),
        ("layers", static () => new LayersVerb()), ("inspect", static () => new InspectVerb()), ("apply", static () => new ApplyVerb()),
        ("create", static () => new CreateVerb()), ("commit", static () => new CommitVerb()), ("mount", static () => new MountVerb()),
        ("umount", static () => new UmountVerb()), ("umount-all", static () => new UmountAllVerb()),
        ("ps", static () => new PsVerb()), ("diff", static () => new DiffVerb()),
        ("changes", static () => new ChangesVerb()), ("rm", static () => new RmVerb()), ("name", static () => new NameVerb()),
        ("label", static () => new LabelVerb()), ("document", static () => new DocumentVerb()),
        ("df", static () => new DfVerb()), ("check", static () => new CheckVerb()), ("gc", static () => new GcVerb()),
        ("rebuild", static () => new RebuildVerb()),
        ("stats", static () => new StatsVerb()), ("info", static () => new InfoVerb()), ("node", static () => new NodeVerb()),
        ("demo", static () => new DemoVerb()), ("completion", static () => new CompletionVerb()),
    ];

    /// <summary>
    /// Of the verbs, those that the arguments name anywhere; all where they name none. Each has options whose generic code is compiled when they are made,
    /// and a command that is asked a question must not pay for those of all others.
    /// </summary>
    private static RootCommand Build(string[] arguments)
    {
        var root = new RootCommand("A store for container-image layers: takes layer tars, stacks and mounts them, gives them back byte for byte.");
        foreach (var option in GlobalOptions.All) root.Add(option);
        if (Array.Exists(arguments, static argument => argument.StartsWith("[suggest", StringComparison.Ordinal))) OfferOneSpellingOfHelp(root);
        var named = Array.FindAll(Verbs, verb => arguments.Contains(verb.Name, StringComparer.Ordinal));
        foreach (var (_, make) in named.Length > 0 ? named : Verbs) root.Add(make());
        return root;
    }

    /// <summary>Help is found under other systems' spellings, too, but nobody needs them to be offered.</summary>
    private static void OfferOneSpellingOfHelp(RootCommand root)
    {
        foreach (var option in root.Options.OfType<HelpOption>())
        {
            foreach (var alias in option.Aliases.Where(static alias => alias != "-h").ToList()) option.Aliases.Remove(alias);
        }
    }

    internal static async Task<int> RunAsync(string[] arguments)
    {
        // A name may begin with @; it is no file of further arguments.
        var parsed = Build(arguments).Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is ParseErrorAction || UnknownOption.Swallowed(parsed) || OptionWithoutValue.Find(parsed, arguments) is not null) return Refuse(parsed, arguments);
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                // Signals and failures are the verbs' own; see VerbRunner.
                ProcessTerminationTimeout = null,
                EnableDefaultExceptionHandler = false,
                Output = new StreamWriter(new StandardOutput(mayBeLeft: true)) { AutoFlush = true },
            });
        }
        catch (LinuxException e)
        {
            // Help, versions and completions have nowhere to go.
            new Printer(json: false, quiet: false).Error("help", Failure.Of(e));
            return ExitCode.Failed;
        }
    }

    private static int Refuse(ParseResult parsed, string[] arguments)
    {
        var verb = parsed.CommandResult.Command is Verb command ? command.Name : null;
        var reason = verb is null && parsed.UnmatchedTokens is [not ['-', ..] and var unknown, ..]
            ? $"there is no verb {unknown}{Suggestion(UnknownVerb.Nearest(unknown, Verbs.Select(static known => known.Name)))}"
            : UnknownOption.Find(parsed) is { } option ? $"there is no option {option}{Suggestion(UnknownOption.Nearest(parsed, option))}"
            : OptionWithoutValue.Find(parsed, arguments) is var (lacking, next) ? $"{lacking} wants a value, and {next} is an option."
            : string.Join(' ', parsed.Errors.Select(static error => error.Message.TrimEnd('.') + '.').Distinct(StringComparer.Ordinal));
        var help = verb is null ? "storage-actors --help" : $"storage-actors {verb} --help";
        var error = new StorageError(StorageErrorCode.InvalidArgument, "parse", $"{reason} See {help}.");
        new Printer(arguments.Contains("--json", StringComparer.Ordinal), quiet: false).Error(verb ?? "usage", error);
        return ExitCode.WrongUsage;
    }

    private static string Suggestion(string? nearest) => nearest is null ? "." : $"; is it {nearest}?";
}
