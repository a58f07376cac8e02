using System.Text.RegularExpressions;
using Akka.Event;

namespace Akka.TestKit.Internal;

/// <summary>Takes some events of the log, and counts them.</summary>
public abstract class EventFilterBase
{
    private int _count;

    /// <summary>How many events it took.</summary>
    public int Count => Volatile.Read(ref _count);

    protected abstract bool IsMatch(LogEvent e);

    internal bool Apply(LogEvent e)
    {
        if (!IsMatch(e)) return false;
        Interlocked.Increment(ref _count);
        return true;
    }
}

/// <summary>A filter that is a function.</summary>
internal sealed class PredicateFilter(Func<LogEvent, bool> predicate) : EventFilterBase
{
    protected override bool IsMatch(LogEvent e) => predicate(e);
}

/// <summary>Which text and which source; what is null matches everything.</summary>
internal sealed record TextPattern(string? Message = null, string? Start = null, string? Contains = null, Regex? Regex = null, string? Source = null)
{
    public bool MatchesSource(string? source) => Source is null || source == Source || source?.StartsWith(Source + " ", StringComparison.Ordinal) == true
        || source?.EndsWith(Source, StringComparison.Ordinal) == true;

    public bool MatchesText(string? text) =>
        (Message is null || text == Message)
        && (Start is null || text?.StartsWith(Start, StringComparison.Ordinal) == true)
        && (Contains is null || text?.Contains(Contains, StringComparison.Ordinal) == true)
        && (Regex is null || (text is not null && Regex.IsMatch(text)));
}
