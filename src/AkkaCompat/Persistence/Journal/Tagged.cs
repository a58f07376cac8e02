using System.Collections.Immutable;

namespace Akka.Persistence.Journal;

/// <summary>An event with tags: the journal stores the payload, and the tags beside it.</summary>
public struct Tagged
{
    public Tagged(object payload, IEnumerable<string> tags) => (Payload, Tags) = (payload, tags.ToImmutableHashSet());

    public object Payload { get; }
    public IImmutableSet<string> Tags { get; }
}
