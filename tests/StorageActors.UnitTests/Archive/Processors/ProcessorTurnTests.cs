using StorageActors.Archive.Processors;
using Xunit;

namespace StorageActors.UnitTests.Archive.Processors;

/// <summary>The process's turns are few and everybody's: these tests take them beside others that compute.</summary>
public sealed class ProcessorTurnTests
{
    [Fact]
    public async Task No_more_threads_compute_at_once_than_there_are_processors()
    {
        var (now, most) = (0, 0);
        var threads = Enumerable.Range(0, 4 * Environment.ProcessorCount).Select(_ => OnItsThread(Compute)).ToArray();
        await Task.WhenAll(threads);
        Assert.InRange(most, 1, Environment.ProcessorCount);
        Assert.Equal(0, now);

        void Compute()
        {
            for (var i = 0; i < 200; i++)
            {
                using var turn = ProcessorTurn.Take();
                var count = Interlocked.Increment(ref now);
                for (var seen = Volatile.Read(ref most); count > seen; seen = Volatile.Read(ref most)) Interlocked.CompareExchange(ref most, count, seen);
                Thread.Yield();
                Interlocked.Decrement(ref now);
            }
        }
    }

    [Fact]
    public async Task Who_waits_for_something_else_lets_another_thread_compute()
    {
        using var computed = new SemaphoreSlim(0);
        using var everybodyWaits = new CountdownEvent(Environment.ProcessorCount);

        // As many as there are turns: were one kept while its thread waits here, nobody could release them.
        var waiters = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => OnItsThread(WaitInTurn)).ToArray();
        await Task.WhenAll([.. waiters, OnItsThread(ComputeForAll)]);

        void WaitInTurn()
        {
            using var turn = ProcessorTurn.Take();
            using (ProcessorTurn.Leave())
            {
                everybodyWaits.Signal();
                Assert.True(computed.Wait(TimeSpan.FromMinutes(1)));
            }
        }

        void ComputeForAll()
        {
            Assert.True(everybodyWaits.Wait(TimeSpan.FromMinutes(1)));
            using (ProcessorTurn.Take()) computed.Release(Environment.ProcessorCount);
        }
    }

    [Fact]
    public async Task A_turn_comes_back_when_the_work_fails()
    {
        for (var i = 0; i < 3 * Environment.ProcessorCount; i++)
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => OnItsThread(Fail)).WaitAsync(TimeSpan.FromMinutes(1));
        }

        static void Fail()
        {
            using var turn = ProcessorTurn.Take();
            using (ProcessorTurn.Leave()) throw new InvalidDataException();
        }
    }

    [Fact]
    public async Task To_leave_a_turn_that_a_thread_has_not_gives_it_none()
    {
        for (var i = 0; i < 3 * Environment.ProcessorCount; i++) await OnItsThread(LeaveNothing).WaitAsync(TimeSpan.FromMinutes(1));

        static void LeaveNothing()
        {
            using (ProcessorTurn.Leave())
            {
                using var turn = ProcessorTurn.Take();
            }
        }
    }

    private static Task OnItsThread(Action work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
