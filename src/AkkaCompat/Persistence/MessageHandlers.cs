namespace Akka.Persistence;

/// <summary>Handlers in the order of their declaration; the first that takes a message gets it.</summary>
internal sealed class MessageHandlers
{
    private readonly List<Func<object, bool>> _handlers = [];
    private bool _closed;

    public bool TryHandle(object message)
    {
        foreach (var handler in _handlers)
            if (handler(message)) return true;
        return false;
    }

    public void Add<T>(Action<T> handler, Predicate<T>? shouldHandle) => Add<T>(message =>
    {
        if (shouldHandle is not null && !shouldHandle(message)) return false;
        handler(message);
        return true;
    });

    public void Add<T>(Func<T, bool> handler) => Append(message => message is T typed && handler(typed));

    public void Add(Type type, Action<object> handler, Predicate<object>? shouldHandle) => Add(type, message =>
    {
        if (shouldHandle is not null && !shouldHandle(message)) return false;
        handler(message);
        return true;
    });

    public void Add(Type type, Func<object, bool> handler) => Append(message => type.IsInstanceOfType(message) && handler(message));

    public void AddAny(Action<object> handler)
    {
        Append(message =>
        {
            handler(message);
            return true;
        });
        _closed = true;
    }

    private void Append(Func<object, bool> handler)
    {
        if (_closed)
            throw new InvalidOperationException("A handler that catches all messages has been added. No handler can be added after that.");
        _handlers.Add(handler);
    }
}
