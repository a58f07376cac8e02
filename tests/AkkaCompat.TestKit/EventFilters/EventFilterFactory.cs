using System.Text.RegularExpressions;
using Akka.Actor;
using Akka.Event;
using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <summary>Says which events of the log are meant; what it returns expects or mutes them.</summary>
public class EventFilterFactory
{
    private readonly TestKitBase _testKit;
    private readonly IReadOnlyList<EventFilterBase> _others;

    public EventFilterFactory(TestKitBase testKit) : this(testKit, []) { }

    internal EventFilterFactory(TestKitBase testKit, IReadOnlyList<EventFilterBase> others) => (_testKit, _others) = (testKit, others);

    /// <summary>Errors that were logged with such an exception; the text is that of the error or of the exception.</summary>
    public IEventFilterApplier Exception<TException>(
        string? message = null, string? start = null, string? contains = null, string? source = null, bool checkInnerExceptions = false)
        where TException : Exception =>
        Exception(typeof(TException), message, start, contains, source, checkInnerExceptions);

    public IEventFilterApplier Exception<TException>(Regex pattern, string? source = null, bool checkInnerExceptions = false) where TException : Exception =>
        Exception(typeof(TException), new TextPattern(Regex: pattern, Source: source), checkInnerExceptions);

    public IEventFilterApplier Exception(
        Type exceptionType, string? message = null, string? start = null, string? contains = null, string? source = null, bool checkInnerExceptions = false) =>
        Exception(exceptionType, new TextPattern(message, start, contains, Source: source), checkInnerExceptions);

    public IEventFilterApplier Error(string? message = null, string? start = null, string? contains = null, string? source = null) =>
        Level<Error>(new TextPattern(message, start, contains, Source: source));

    public IEventFilterApplier Error(Regex pattern, string? source = null) => Level<Error>(new TextPattern(Regex: pattern, Source: source));

    public IEventFilterApplier Warning(string? message = null, string? start = null, string? contains = null, string? source = null) =>
        Level<Warning>(new TextPattern(message, start, contains, Source: source));

    public IEventFilterApplier Warning(Regex pattern, string? source = null) => Level<Warning>(new TextPattern(Regex: pattern, Source: source));

    public IEventFilterApplier Info(string? message = null, string? start = null, string? contains = null, string? source = null) =>
        Level<Info>(new TextPattern(message, start, contains, Source: source));

    public IEventFilterApplier Info(Regex pattern, string? source = null) => Level<Info>(new TextPattern(Regex: pattern, Source: source));

    public IEventFilterApplier Debug(string? message = null, string? start = null, string? contains = null, string? source = null) =>
        Level<Debug>(new TextPattern(message, start, contains, Source: source));

    public IEventFilterApplier Debug(Regex pattern, string? source = null) => Level<Debug>(new TextPattern(Regex: pattern, Source: source));

    /// <summary>Any message that nobody received.</summary>
    public IEventFilterApplier DeadLetter() => DeadLetter<object>();

    public IEventFilterApplier DeadLetter<TMessage>(string? source = null) => DeadLetter<TMessage>(_ => true, source);

    public IEventFilterApplier DeadLetter<TMessage>(Func<TMessage, bool> isMatch, string? source = null) =>
        Applier(e => e.Message is Akka.Event.DeadLetter { Message: TMessage message } && new TextPattern(Source: source).MatchesSource(e.LogSource) && isMatch(message));

    public IEventFilterApplier Custom(Predicate<LogEvent> predicate) => Applier(e => predicate(e));

    public IEventFilterApplier Custom<TLogEvent>(Predicate<TLogEvent> predicate) where TLogEvent : LogEvent =>
        Applier(e => e is TLogEvent typed && predicate(typed));

    private IEventFilterApplier Exception(Type type, TextPattern pattern, bool inner) => Applier(e =>
        e is Error && pattern.MatchesSource(e.LogSource) && Causes(e.Cause, inner).Any(cause =>
            type.IsInstanceOfType(cause) && (pattern.MatchesText(e.Message?.ToString()) || pattern.MatchesText(cause.Message))));

    private static IEnumerable<Exception> Causes(Exception? cause, bool inner)
    {
        for (; cause is not null; cause = inner ? cause.InnerException : null) yield return cause;
    }

    private IEventFilterApplier Level<T>(TextPattern pattern) where T : LogEvent =>
        Applier(e => e is T && e.Message is not AllDeadLetters && pattern.MatchesSource(e.LogSource) && pattern.MatchesText(e.Message?.ToString()));

    private IEventFilterApplier Applier(Func<LogEvent, bool> predicate) => new EventFilterApplier(_testKit, [.. _others, new PredicateFilter(predicate)]);
}
