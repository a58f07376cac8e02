using Akka.Dispatch;
using StorageActors.Dispatching;
using Xunit;

namespace StorageActors.EngineTests.Dispatching;

public sealed class EngineThreadsTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly EngineThreads _threads = new("test");

    public EngineThreadsTests()
    {
        _threads.AddThreads(1);
        _threads.AddCalls(2);
    }

    [Fact]
    public async Task What_a_thread_causes_it_does_itself()
    {
        var done = new TaskCompletionSource<(int Actor, int Next, int Call)>(TaskCreationOptions.RunContinuationsAsynchronously);
        _threads.RunActor(new Step(() =>
        {
            var actor = Environment.CurrentManagedThreadId;
            _threads.RunActor(new Step(() =>
            {
                var next = Environment.CurrentManagedThreadId;
                _threads.RunCall(new Step(() => done.SetResult((actor, next, Environment.CurrentManagedThreadId))));
            }));
        }));
        var ran = await done.Task.WaitAsync(Limit);
        Assert.Equal((ran.Actor, ran.Actor), (ran.Next, ran.Call));
    }

    [Fact]
    public async Task Actors_have_a_thread_when_every_call_blocks()
    {
        const int Calls = 5;
        var (begun, left) = (0, Calls);
        using var gate = new SemaphoreSlim(0);
        var blocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (var i = 0; i < Calls; i++) _threads.RunCall(new Step(() =>
        {
            if (Interlocked.Increment(ref begun) == 2) blocked.SetResult();
            gate.Wait(Limit);
            if (Interlocked.Decrement(ref left) == 0) ended.SetResult();
        }));
        await blocked.Task.WaitAsync(Limit);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _threads.RunActor(new Step(() => _threads.RunActor(new Step(done.SetResult))));
        await done.Task.WaitAsync(Limit);
        gate.Release(Calls);
        await ended.Task.WaitAsync(Limit);
    }

    [Fact]
    public async Task No_more_calls_run_at_a_time_than_are_allowed_and_all_run()
    {
        const int Calls = 200;
        var (running, most, left) = (0, 0, Calls);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (var i = 0; i < Calls; i++) _threads.RunCall(new Step(() =>
        {
            var now = Interlocked.Increment(ref running);
            for (var known = Volatile.Read(ref most); now > known; known = Volatile.Read(ref most)) Interlocked.CompareExchange(ref most, now, known);
            Thread.Yield();
            Interlocked.Decrement(ref running);
            if (Interlocked.Decrement(ref left) == 0) done.SetResult();
        }));
        await done.Task.WaitAsync(Limit);
        Assert.InRange(most, 1, 2);
    }

    [Fact]
    public async Task Many_that_one_causes_all_run()
    {
        const int Actors = 5000;
        var left = Actors;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _threads.RunActor(new Step(() =>
        {
            for (var i = 0; i < Actors; i++)
            {
                var next = new Step(() =>
                {
                    if (Interlocked.Decrement(ref left) == 0) done.SetResult();
                });
                if (i % 3 == 0) _threads.RunCall(next);
                else _threads.RunActor(next);
            }
        }));
        await done.Task.WaitAsync(Limit);
    }

    [Fact]
    public async Task What_follows_an_answer_runs_on_the_thread_that_gave_it()
    {
        var done = new TaskCompletionSource<(int Actor, int Answer)>(TaskCreationOptions.RunContinuationsAsynchronously);
        _threads.RunActor(new Step(() =>
        {
            var actor = Environment.CurrentManagedThreadId;
            _threads.TryRunAnswer(new Step(() => done.SetResult((actor, Environment.CurrentManagedThreadId))));
        }));
        var ran = await done.Task.WaitAsync(Limit);
        Assert.Equal(ran.Actor, ran.Answer);
    }

    [Fact]
    public async Task Those_who_block_after_an_answer_are_few_and_what_they_wait_for_is_done()
    {
        using var gate = new SemaphoreSlim(0);
        using var both = new CountdownEvent(2);
        using var ended = new CountdownEvent(2);
        for (var i = 0; i < 2; i++) Assert.True(_threads.TryRunAnswer(new Step(() =>
        {
            // What it causes is not left for when it has ended: it may wait for that.
            using var caused = new SemaphoreSlim(0);
            _threads.RunActor(new Step(() => _threads.RunCall(new Step(() => caused.Release()))));
            if (caused.Wait(Limit)) both.Signal();
            gate.Wait(Limit);
            ended.Signal();
        })));
        Assert.True(both.Wait(Limit));
        Assert.False(_threads.TryRunAnswer(new Step(static () => { })));
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _threads.RunActor(new Step(() => _threads.RunCall(new Step(done.SetResult))));
        await done.Task.WaitAsync(Limit);
        gate.Release(2);
        Assert.True(ended.Wait(Limit));
    }

    [Fact]
    public async Task Who_blocks_until_what_he_has_just_caused_is_done_is_not_waited_for()
    {
        // Most go on at once, so that nobody is woken for what they cause; now and then one blocks.
        var (left, done) = (20_000, new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously));
        Ask();
        Assert.True(await done.Task.WaitAsync(Limit));

        void Ask() => _threads.RunActor(new Step(() =>
        {
            // The thread before may be with its answer still, and another one, too.
            if (!_threads.TryRunAnswer(new Step(Answered))) ThreadPool.UnsafeQueueUserWorkItem(static answered => answered(), Answered, preferLocal: false);
        }));

        void Answered()
        {
            var isDone = true;
            if (--left % 1000 == 0)
            {
                using var caused = new SemaphoreSlim(0);
                _threads.RunActor(new Step(() => _threads.RunCall(new Step(() => caused.Release()))));
                isDone = caused.Wait(Limit);
            }

            if (left > 0 && isDone) Ask();
            else done.SetResult(isDone);
        }
    }

    [Fact]
    public void Nothing_follows_an_answer_on_threads_that_are_about_to_end()
    {
        _threads.Leave();
        _threads.Leave();
        Assert.False(_threads.TryRunAnswer(new Step(static () => { })));
    }

    private sealed class Step(Action action) : IRunnable
    {
        public void Run() => action();

        public void Execute() => action();
    }
}
