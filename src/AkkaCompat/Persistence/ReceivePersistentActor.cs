using Akka.Actor;
using Akka.Actor.Internal;

namespace Akka.Persistence;

/// <summary>A persistent actor that declares a handler for each type, in its constructor or inside Become.</summary>
/// <remarks>Handlers are tried in the order of their declaration.</remarks>
public abstract class ReceivePersistentActor : PersistentActor, IInitializableActor
{
    private readonly MessageHandlers _recover = new();
    private readonly MessageHandlers _initialCommands = new();

    /// <summary>What declarations are added to: null when none are allowed.</summary>
    private MessageHandlers? _declaring;
    private bool _constructing = true;

    protected ReceivePersistentActor() => _declaring = _initialCommands;

    void IInitializableActor.Init() => (_declaring, _constructing) = (null, false);

    protected sealed override bool ReceiveCommand(object message) => _initialCommands.TryHandle(message);

    protected sealed override bool ReceiveRecover(object message) => _recover.TryHandle(message);

    /// <summary>Replaces the command handlers by those that the action declares.</summary>
    protected void Become(Action configure) => base.Become(Declare(configure).TryHandle);

    /// <summary>Like Become, until UnbecomeStacked.</summary>
    protected void BecomeStacked(Action configure) => base.BecomeStacked(Declare(configure).TryHandle);

    protected void Recover<T>(Action<T> handler, Predicate<T>? shouldHandle = null) => Recovering.Add(handler, shouldHandle);

    protected void Recover<T>(Predicate<T> shouldHandle, Action<T> handler) => Recovering.Add(handler, shouldHandle);

    protected void Recover<T>(Func<T, bool> handler) => Recovering.Add(handler);

    protected void Recover(Type messageType, Action<object> handler, Predicate<object>? shouldHandle = null) =>
        Recovering.Add(messageType, handler, shouldHandle);

    protected void Recover(Type messageType, Func<object, bool> handler) => Recovering.Add(messageType, handler);

    protected void RecoverAny(Action<object> handler) => Recovering.AddAny(handler);

    protected void Command<T>(Action<T> handler, Predicate<T>? shouldHandle = null) => Commands.Add(handler, shouldHandle);

    protected void Command<T>(Predicate<T> shouldHandle, Action<T> handler) => Commands.Add(handler, shouldHandle);

    protected void Command<T>(Func<T, bool> handler) => Commands.Add(handler);

    protected void Command(Type messageType, Action<object> handler, Predicate<object>? shouldHandle = null) =>
        Commands.Add(messageType, handler, shouldHandle);

    protected void Command(Type messageType, Func<object, bool> handler) => Commands.Add(messageType, handler);

    protected void CommandAny(Action<object> handler) => Commands.AddAny(handler);

    protected void CommandAsync<T>(Func<T, Task> handler, Predicate<T>? shouldHandle = null) =>
        Commands.Add(Running(handler), shouldHandle);

    protected void CommandAsync<T>(Predicate<T> shouldHandle, Func<T, Task> handler) => Commands.Add(Running(handler), shouldHandle);

    protected void CommandAsync(Type messageType, Func<object, Task> handler, Predicate<object>? shouldHandle = null) =>
        Commands.Add(messageType, Running(handler), shouldHandle);

    protected void CommandAnyAsync(Func<object, Task> handler) => Commands.AddAny(Running(handler));

    private MessageHandlers Commands => _declaring ?? throw new InvalidOperationException(
        "You may only call Command-methods when constructing the actor and inside Become().");

    private MessageHandlers Recovering => _constructing ? _recover : throw new InvalidOperationException(
        "You may only call Recover-methods when constructing the actor.");

    private Action<T> Running<T>(Func<T, Task> handler) => message => RunTask(() => handler(message));

    private MessageHandlers Declare(Action configure)
    {
        var before = _declaring;
        var handlers = _declaring = new MessageHandlers();
        try
        {
            configure();
        }
        finally
        {
            _declaring = before;
        }
        return handlers;
    }
}
