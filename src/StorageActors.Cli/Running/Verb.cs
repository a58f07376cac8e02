using System.CommandLine;

namespace StorageActors.Cli.Running;

/// <summary>One verb: its arguments and options, and what it does. Each lives in a file of its own under <c>Verbs/</c>.</summary>
internal abstract class Verb : Command
{
    protected Verb(string name, string description)
        : base(name, description) => SetAction((parsed, _) => VerbRunner.RunAsync(this, parsed));

    /// <summary>Does it, and says how the process is to end; a failure is thrown.</summary>
    internal abstract Task<int> RunAsync(Invocation call);

    /// <summary>An option that may be repeated, one value each.</summary>
    protected static Option<string[]> Many(string name, string value, string description) =>
        new(name) { Description = description, HelpName = value, DefaultValueFactory = static _ => [] };
}
