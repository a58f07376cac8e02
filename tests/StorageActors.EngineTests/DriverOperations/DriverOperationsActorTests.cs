using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Event;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.EngineTests.Support;
using StorageActors.Linux;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.DriverOperations;

public sealed class DriverOperationsActorTests : EngineTest
{
    /// <summary>What operations do, by name: a delegate does not travel.</summary>
    private static readonly ConcurrentDictionary<string, Func<CancellationToken, string>> Scripts = new(StringComparer.Ordinal);

    private static readonly StorageError Error = new(StorageErrorCode.InUse, "test", "it is busy");
    private readonly TestStore _store = new();
    private readonly IActorRef _operations;

    public DriverOperationsActorTests()
        : base() => _operations = Sys.ActorOf(DriverOperationsActor.Props(_store.Services, new RetryPolicy(5, TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(1))));

    [Fact]
    public void An_operation_runs_on_a_thread_that_is_not_of_the_shared_pool_and_its_result_has_the_attempts_number()
    {
        var isPooled = true;
        var attempt = Perform(_ =>
        {
            isPooled = Thread.CurrentThread.IsThreadPoolThread;
            return "done";
        });
        ExpectMsg(new DriverProtocol.Completed<string>(attempt, "done"));
        Assert.False(isPooled);
    }

    [Fact]
    public void A_transient_failure_is_tried_again_until_it_works()
    {
        var runs = 0;
        var attempt = Perform(_ => ++runs < 4 ? throw new TransientDriverException(Error) : "at last");
        ExpectMsg(new DriverProtocol.Completed<string>(attempt, "at last"));
        Assert.Equal(4, runs);
    }

    [Fact]
    public void A_transient_failure_that_lasts_is_refused_after_as_many_tries_as_the_table_allows()
    {
        var runs = 0;
        var attempt = Perform(_ =>
        {
            runs++;
            throw new TransientDriverException(Error);
        });
        ExpectMsg(new DriverProtocol.Failed(attempt, Error with { Message = "it is busy (tried 6 times)" }));
        Assert.Equal(6, runs);
    }

    [Fact]
    public void A_permanent_failure_is_refused_at_once()
    {
        var runs = 0;
        var attempt = Perform(_ =>
        {
            runs++;
            throw new PermanentDriverException(Error);
        });
        ExpectMsg(new DriverProtocol.Failed(attempt, Error));
        Assert.Equal(1, runs);
    }

    [Fact]
    public void What_cannot_be_repeated_is_not_tried_again()
    {
        var runs = 0;
        var attempt = Perform(
            _ =>
            {
                runs++;
                throw new TransientDriverException(Error);
            },
            repeatable: false);
        ExpectMsg(new DriverProtocol.Failed(attempt, Error));
        Assert.Equal(1, runs);
    }

    [Fact]
    public void A_defect_is_logged_with_its_stack_and_refused_as_internal() => EventFilter.Exception<FormatException>().ExpectOne(() =>
    {
        Perform(static _ => throw new FormatException("oops"));
        var error = ExpectMsg<DriverProtocol.Failed>().Error;
        Assert.Equal(StorageErrorCode.Internal, error.Code);
        Assert.Contains("FormatException: oops", error.Message, StringComparison.Ordinal);
    });

    [Fact]
    public void A_corrupt_store_stops_the_operations_and_nobody_waits_for_ever()
    {
        var supervisor = CreateTestProbe();
        var services = _store.Services;
        var parent = Sys.ActorOf(Props.Create(() => new Escalation(services, supervisor.Ref)));
        var (operation, waiting) = (Script(static _ => throw new StoreCorruptException(new StorageError(StorageErrorCode.UnknownFormat, "test", "format 9"))), Blocked(out var started));
        parent.Tell(new DriverProtocol.Perform(1, waiting));
        Assert.True(started.Wait(Patient.Limit));
        parent.Tell(new DriverProtocol.Perform(2, operation));
        Assert.Equal("StoreCorruptException", supervisor.ExpectMsg<string>());
        Assert.Equal([1L, 2L], new[] { ExpectMsg<DriverProtocol.Failed>().Attempt, ExpectMsg<DriverProtocol.Failed>().Attempt }.Order());
    }

    [Fact]
    public void A_raw_error_of_a_system_call_is_sorted_by_its_number()
    {
        var runs = 0;
        Perform(_ => ++runs < 2 ? throw new LinuxException("umount2", "/m", Errno.EBUSY) : throw new LinuxException("mkdirat", "/m", Errno.ENOSPC));
        var error = ExpectMsg<DriverProtocol.Failed>().Error;
        Assert.Equal((StorageErrorCode.NoSpace, "/m", "ENOSPC", 2), (error.Code, error.Path, error.Errno, runs));
    }

    [Fact]
    public void A_running_operation_can_be_cancelled_by_its_sender_alone()
    {
        var operation = Blocked(out var started);
        _operations.Tell(new DriverProtocol.Perform(7, operation));
        Assert.True(started.Wait(Patient.Limit));
        CreateTestProbe().Send(_operations, new DriverProtocol.Cancel(7));
        var second = Perform(static _ => "others go on");
        ExpectMsg(new DriverProtocol.Completed<string>(second, "others go on"));
        _operations.Tell(new DriverProtocol.Cancel(7));
        var failed = ExpectMsg<DriverProtocol.Failed>();
        Assert.Equal((7, StorageErrorCode.Cancelled), (failed.Attempt, failed.Error.Code));
    }

    [Fact]
    public void The_senders_death_cancels_what_it_asked_for()
    {
        var requester = CreateTestProbe();
        using var cancelled = new ManualResetEventSlim();
        using var started = new ManualResetEventSlim();
        requester.Send(_operations, new DriverProtocol.Perform(1, Script(stop =>
        {
            started.Set();
            stop.WaitHandle.WaitOne(Patient.Limit);
            cancelled.Set();
            stop.ThrowIfCancellationRequested();
            return "not cancelled";
        })));
        Assert.True(started.Wait(Patient.Limit));
        Sys.Stop(requester.Ref);
        Assert.True(cancelled.Wait(Patient.Limit));
    }

    [Fact]
    public void Operations_of_one_layer_run_one_after_the_other_in_order_and_those_of_others_beside_them()
    {
        var layer = LayerId.Parse("some-layer");
        using var release = new ManualResetEventSlim();
        var order = new ConcurrentQueue<string>();
        var first = Perform(
            _ =>
            {
                release.Wait(Patient.Limit);
                order.Enqueue("first");
                return "first";
            },
            layer);
        var failing = Perform(
            _ =>
            {
                order.Enqueue("second");
                throw new PermanentDriverException(Error);
            },
            layer);
        var third = Perform(
            _ =>
            {
                order.Enqueue("third");
                return "third";
            },
            layer);
        var other = Perform(static _ => "other", LayerId.Parse("other-layer"));
        ExpectMsg(new DriverProtocol.Completed<string>(other, "other"));
        Assert.Empty(order);
        release.Set();
        ExpectMsg(new DriverProtocol.Completed<string>(first, "first"));
        ExpectMsg(new DriverProtocol.Failed(failing, Error));
        ExpectMsg(new DriverProtocol.Completed<string>(third, "third"));
        Assert.Equal(["first", "second", "third"], order);
    }

    [Fact]
    public void An_actor_whose_operation_worked_runs_the_next_one_too()
    {
        for (var round = 0; round < 5; round++)
        {
            var attempt = Perform(static _ => "done");
            ExpectMsg(new DriverProtocol.Completed<string>(attempt, "done"));
        }

        // The other one is there to end what runs when the parent ends.
        Assert.Equal(2, CountChildren());
    }

    [Fact]
    public void Each_operation_has_all_its_tries_however_many_those_before_it_needed()
    {
        for (var round = 0; round < 3; round++)
        {
            var runs = 0;
            var attempt = Perform(_ => ++runs < 6 ? throw new TransientDriverException(Error) : "at last");
            ExpectMsg(new DriverProtocol.Completed<string>(attempt, "at last"));
        }
    }

    [Fact]
    public void After_an_operation_that_failed_the_next_ones_run()
    {
        var first = Perform(static _ => "done");
        ExpectMsg(new DriverProtocol.Completed<string>(first, "done"));
        var failing = Perform(static _ => throw new PermanentDriverException(Error));
        ExpectMsg(new DriverProtocol.Failed(failing, Error));
        for (var round = 0; round < 3; round++)
        {
            var attempt = Perform(static _ => "done");
            ExpectMsg(new DriverProtocol.Completed<string>(attempt, "done"));
        }
    }

    [Fact]
    public void Few_actors_stay_when_many_operations_are_done()
    {
        using var release = new ManualResetEventSlim();
        for (var number = 0; number < 20; number++)
        {
            Perform(_ =>
            {
                release.Wait(Patient.Limit);
                return "done";
            });
        }

        release.Set();
        for (var number = 0; number < 20; number++) ExpectMsg<DriverProtocol.Completed<string>>();
        AwaitAssert(() => Assert.InRange(CountChildren(), 2, 5), Patient.Limit);
    }

    [Fact]
    public void Operations_are_counted_and_timed_by_verb_and_outcome()
    {
        Perform(static _ => "done");
        ExpectMsg<DriverProtocol.Completed<string>>();
        Perform(static _ => throw new PermanentDriverException(Error));
        ExpectMsg<DriverProtocol.Failed>();
        var counters = _store.Metrics.Counters().ToDictionary();
        Assert.Equal((1, 1), (counters["scripted completed"], counters["scripted failed"]));
        Assert.Equal(2, _store.Metrics.Latencies().Single(static latency => latency.Name == "scripted").Count);
    }

    [Fact]
    public void Numbers_of_attempts_are_never_used_twice() =>
        Assert.Equal(1000, Enumerable.Range(0, 1000).AsParallel().Select(static _ => DriverProtocol.NextAttempt()).Distinct().Count());

    /// <summary>The store last: nothing works on it any more.</summary>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing) _store.Dispose();
    }

    private int CountChildren() => ((ActorRefWithCell)_operations).Children.Count();

    private static Scripted Script(Func<CancellationToken, string> script, LayerId? layer = null, bool repeatable = true)
    {
        var name = Guid.NewGuid().ToString();
        Scripts[name] = script;
        return new Scripted(name, layer, repeatable);
    }

    private static Scripted Blocked(out ManualResetEventSlim started)
    {
        var signal = started = new ManualResetEventSlim();
        return Script(stop =>
        {
            signal.Set();
            stop.WaitHandle.WaitOne(Patient.Limit);
            stop.ThrowIfCancellationRequested();
            return "not cancelled";
        });
    }

    private long Perform(Func<CancellationToken, string> script, LayerId? layer = null, bool repeatable = true)
    {
        var attempt = DriverProtocol.NextAttempt();
        _operations.Tell(new DriverProtocol.Perform(attempt, Script(script, layer, repeatable)));
        return attempt;
    }

    private sealed record Scripted(string Script, LayerId? Layer, bool MayRepeat) : DriverOperation<string>
    {
        internal override string Verb => "scripted";

        internal override LayerId? Turn => Layer;

        internal override bool Repeatable => MayRepeat;

        internal override string Execute(DriverServices services, CancellationToken stop) => Scripts[Script](stop);
    }

    /// <summary>The store's supervisor: stops serving when a child says that the store is corrupt.</summary>
    private sealed class Escalation : ReceiveActor
    {
        private readonly IActorRef _observer;

        public Escalation(DriverServices services, IActorRef observer)
        {
            _observer = observer;
            var operations = Context.ActorOf(DriverOperationsActor.Props(services, RetryPolicy.Default));
            ReceiveAny(operations.Forward);
        }

        protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(cause =>
        {
            _observer.Tell(cause.GetType().Name, ActorRefs.NoSender);
            return Directive.Stop;
        });
    }
}
