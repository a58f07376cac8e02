using System.Collections.Concurrent;

namespace StorageActors.Dispatching;

/// <summary>
/// What an actor does with its messages in one of its states: handlers in the order in which they were declared; the first one that takes a message gets it. Declared once for all
/// actors of a class, so that to go from state to state costs nothing, and actors hold no handlers of their own: what an actor declares anew in each state, as Akka's Become has it do, took a
/// third of the time of a layer's actor. Safe to use from many threads once it is declared.
/// </summary>
/// <typeparam name="TActor">The class; handlers are given the actor.</typeparam>
internal sealed class Behavior<TActor>
    where TActor : class
{
    private readonly List<Handler> _handlers = [];
    private readonly ConcurrentDictionary<Type, Handler[]> _byType = new();

    /// <param name="declare">Adds the handlers.</param>
    internal Behavior(Action<Behavior<TActor>> declare) => declare(this);

    /// <summary>Only while it is declared: messages of a type that fulfil a condition.</summary>
    /// <typeparam name="TMessage">The type, or one that they derive from.</typeparam>
    /// <param name="handle">What is done with them.</param>
    /// <param name="when">Which of them; null for all.</param>
    internal void On<TMessage>(Action<TActor, TMessage> handle, Func<TActor, TMessage, bool>? when = null) =>
        _handlers.Add(new Handler(typeof(TMessage), (actor, message) =>
        {
            var typed = (TMessage)message;
            if (when is not null && !when(actor, typed)) return false;
            handle(actor, typed);
            return true;
        }));

    /// <returns>False: no handler takes the message.</returns>
    internal bool TryHandle(TActor actor, object message)
    {
        foreach (var handler in _byType.GetOrAdd(message.GetType(), static (type, all) => all.FindAll(handler => handler.Type.IsAssignableFrom(type)).ToArray(), _handlers))
        {
            if (handler.Try(actor, message)) return true;
        }

        return false;
    }

    private sealed record Handler(Type Type, Func<TActor, object, bool> Try);
}
