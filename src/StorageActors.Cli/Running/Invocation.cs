using System.CommandLine;
using StorageActors.Cli.Output;

namespace StorageActors.Cli.Running;

/// <summary>One run of a verb: what the user wrote, where results go, and when to stop.</summary>
internal sealed class Invocation(string verb, ParseResult parsed, Printer output, CancellationToken stop)
{
    /// <summary>The verb's name, for messages.</summary>
    internal string Verb => verb;

    /// <summary>Where results and everything else go.</summary>
    internal Printer Output => output;

    /// <summary>Cancelled by a signal.</summary>
    internal CancellationToken Stop => stop;

    /// <summary>Which store is meant.</summary>
    internal StoreChoice Store { get; } = StoreChoice.Of(parsed);

    internal T? Get<T>(Option<T> option) => parsed.GetValue(option);

    internal T Get<T>(Argument<T> argument) => parsed.GetRequiredValue(argument);

    /// <summary>A session with the store: over the node's socket if one serves it, else with an engine in this process.</summary>
    internal Task<Session> OpenAsync() => Session.OpenAsync(this);

    /// <summary>The same for a verb that makes no store where there is none.</summary>
    internal Task<Session> OpenExistingAsync() => Session.OpenExistingAsync(this);

    /// <summary>The same for a verb that only asks: from the store's journal, if that has the answer.</summary>
    internal Task<Session> OpenToReadAsync(bool withMounts = false) => Session.OpenToReadAsync(this, withMounts);
}
