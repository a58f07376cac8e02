using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Akka.Actor;
using Akka.Dispatch;
using StorageActors.Dispatching;

namespace StorageActors.Client;

/// <summary>
/// Stands for somebody who asks a store in this process and awaits the answer: the sender of his message. What he does with the answer runs on the engine's threads, a few
/// at a time, otherwise on the runtime's pool. Akka's own way always takes the pool, which wakes two threads for each answer; these then yield to each other, and to the disk's,
/// for as long as a mount takes.
/// </summary>
[SuppressMessage("Design", "MA0097", Justification = "Addresses are compared for order by Akka alone.")]
internal sealed class Question : MinimalActorRef, IRunnable
{
    /// <summary>One for each actor system, however many channels it has in its life.</summary>
    private static readonly ConditionalWeakTable<ActorSystem, CancellationTokenSource> Ends = [];

    private readonly TaskCompletionSource<object?> _asking = new();   // What waits for it runs where it is completed: never where the answer is given.
    private readonly EngineThreads? _threads;
    private object? _answer;
    private ActorPath? _path;

    /// <param name="system">The store's actor system.</param>
    /// <param name="threads">Its engine's threads; null when it runs on others.</param>
    internal Question(ActorSystem system, EngineThreads? threads) => (Provider, _threads) = (((ExtendedActorSystem)system).Provider, threads);

    /// <summary>Made when it is first asked for, which is seldom: a log has it, and whoever compares addresses.</summary>
    public override ActorPath Path => Volatile.Read(ref _path) ?? Interlocked.CompareExchange(ref _path, Provider.TempPath(), null) ?? _path;

    /// <inheritdoc/>
    public override IActorRefProvider Provider { get; }

    /// <summary>The first answer; null when none came in its time, cancelled when it was given up before.</summary>
    internal Task<object?> Answer => _asking.Task;

    /// <summary>Cancelled when an actor system has ended.</summary>
    internal static CancellationToken EndOf(ActorSystem system) => Ends.GetValue(system, static system =>
    {
        var end = new CancellationTokenSource();
        _ = system.WhenTerminated.ContinueWith(static (_, end) => ((CancellationTokenSource)end!).Cancel(), end, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        return end;
    }).Token;

    /// <summary>Has who waits go on without an answer, cancelled.</summary>
    internal void GiveUp() => ThreadPool.UnsafeQueueUserWorkItem(static question => question._asking.TrySetCanceled(), this, preferLocal: false);

    /// <summary>Has who waits go on without an answer, unless one comes in this time.</summary>
    internal void GiveUpAfter(TimeSpan time) =>
        _ = Task.Delay(time).ContinueWith(static (_, question) => ((Question)question!)._asking.TrySetResult(null), this, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

    /// <summary>Has who waits go on, on this thread.</summary>
    public void Run() => _asking.TrySetResult(_answer!);

    /// <summary>As <see cref="Run"/>.</summary>
    public void Execute() => Run();

    /// <inheritdoc/>
    protected override void TellInternal(object message, IActorRef sender)
    {
        if (Interlocked.CompareExchange(ref _answer, message, null) is not null) return;
        if (_threads?.TryRunAnswer(this) != true)
            ThreadPool.UnsafeQueueUserWorkItem(static question => question.Run(), this, preferLocal: false);
    }
}
