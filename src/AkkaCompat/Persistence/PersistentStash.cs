using Akka.Actor;

namespace Akka.Persistence;

/// <summary>The stash a persistent actor uses: what it releases goes in front of the messages that persistence holds back.</summary>
/// <remarks>Put straight into the mailbox it would be overtaken by them, as they are released to its front one by one.</remarks>
internal sealed class PersistentStash(IStash userStash, IStash internalStash) : IStash
{
    public void Stash() => userStash.Stash();

    public void Unstash()
    {
        var envelopes = userStash.ClearStash().ToList();
        PrependEach(internalStash, envelopes.Take(1));
        PrependEach(userStash, envelopes.Skip(1));
    }

    public void UnstashAll() => PrependEach(internalStash, userStash.ClearStash());

    public void UnstashAll(Func<Envelope, bool> predicate) => PrependEach(internalStash, userStash.ClearStash().Where(predicate));

    public IEnumerable<Envelope> ClearStash() => userStash.ClearStash();

    public void Prepend(IEnumerable<Envelope> envelopes) => PrependEach(userStash, envelopes);

    // Akka's Prepend drops envelopes that are equal by value: two equal commands of one sender would become one.
    private static void PrependEach(IStash stash, IEnumerable<Envelope> envelopes)
    {
        foreach (var envelope in envelopes.Reverse()) stash.Prepend([envelope]);
    }
}
