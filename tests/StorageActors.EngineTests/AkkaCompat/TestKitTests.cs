using Akka.Actor;
using Akka.Event;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using StorageActors.EngineTests.Support;
using Xunit;
using Xunit.Sdk;

namespace StorageActors.EngineTests.AkkaCompat;

/// <summary>What a test may rely on in the test kit, official or not.</summary>
public sealed class TestKitTests() : TestKit(Patient.Hocon)
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(50);

    private sealed class Echo : ReceiveActor
    {
        public Echo()
        {
            Receive<string>(s => s == "fail", _ => throw new InvalidOperationException("told to fail"));
            Receive<string>(s => s == "warn", _ => Context.GetLogger().Warning("careful"));
            ReceiveAny(message => Sender.Tell(message));
        }
    }

    [Fact]
    public void Tell_without_a_sender_is_answered_to_the_test_actor()
    {
        var echo = ActorOf<Echo>();
        echo.Tell("one");
        Assert.Equal("one", ExpectMsg<string>());
        Assert.Equal(echo, LastSender);
        Assert.Equal("one", LastMessage);
    }

    [Fact]
    public async Task The_sender_stays_the_test_actor_after_an_await()
    {
        var echo = ActorOf<Echo>();
        await Task.Yield();
        echo.Tell(1);
        Assert.Equal(1, await ExpectMsgAsync<int>());
        await Task.Run(() => { });
        echo.Tell(2);
        Assert.Equal(2, await ExpectMsgAsync<int>());
    }

    [Fact]
    public void ExpectMsg_looks_at_the_next_message_only()
    {
        TestActor.Tell("first");
        TestActor.Tell(2);
        var failure = Assert.Throws<XunitException>(() => ExpectMsg<int>());
        Assert.Contains("first", failure.Message, StringComparison.Ordinal);
        Assert.Equal(2, ExpectMsg<int>());
    }

    [Fact]
    public void ExpectMsg_fails_when_nothing_comes()
    {
        var failure = Assert.Throws<XunitException>(() => ExpectMsg<string>(Short));
        Assert.Contains("Timeout", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ExpectMsg_checks_equality_predicate_and_assertion()
    {
        foreach (var _ in Enumerable.Range(0, 6)) TestActor.Tell("x");
        ExpectMsg("x");
        ExpectMsg<string>(s => s.Length == 1);
        ExpectMsg<string>(s => Assert.Equal("x", s));
        Assert.ThrowsAny<XunitException>(() => ExpectMsg("y"));
        Assert.Throws<XunitException>(() => ExpectMsg<string>(s => s.Length == 2));
        Assert.ThrowsAny<XunitException>(() => ExpectMsg<string>(s => Assert.Equal("y", s)));
    }

    [Fact]
    public async Task ExpectNoMsg_fails_on_any_message()
    {
        ExpectNoMsg(Short);
        await ExpectNoMsgAsync(Short);
        TestActor.Tell("x");
        Assert.Throws<XunitException>(() => ExpectNoMsg(Short));
    }

    [Fact]
    public void FishForMessage_skips_what_it_is_not_looking_for()
    {
        foreach (var n in Enumerable.Range(0, 5)) TestActor.Tell(n);
        Assert.Equal(3, FishForMessage<int>(n => n == 3));
        Assert.Equal(4, ExpectMsg<int>());
    }

    [Fact]
    public void ReceiveN_and_AllOf_take_as_many_as_asked_for()
    {
        foreach (var n in Enumerable.Range(0, 6)) TestActor.Tell(n);
        Assert.Equal([0, 1], ReceiveN(2).Cast<int>());
        Assert.Equal([2, 3], ExpectMsgAllOf(3, 2));
        Assert.Throws<XunitException>(() => ExpectMsgAllOf(4, 6));
    }

    [Fact]
    public void ReceiveWhile_leaves_the_message_that_ended_it()
    {
        foreach (var s in (string[])["a", "a", "b"]) TestActor.Tell(s);
        Assert.Equal(["a", "a"], ReceiveWhile<string>(s => s == "a", max: Patient.Limit));
        ExpectMsg("b");
    }

    [Fact]
    public void A_watched_actor_that_stops_is_reported()
    {
        var echo = Watch(ActorOf<Echo>());
        Sys.Stop(echo);
        Assert.Equal(echo, ExpectTerminated(echo).ActorRef);
    }

    [Fact]
    public async Task A_probe_stands_in_for_an_actor()
    {
        var probe = CreateTestProbe("neighbour");
        probe.Ref.Tell("ask", TestActor);
        probe.ExpectMsg("ask");
        probe.Reply("answer");
        await ExpectMsgFromAsync<string>(probe, "answer");
        var echo = ActorOf<Echo>();
        probe.Send(echo, "sent");
        probe.ExpectMsgFrom(echo, "sent");
        IActorRef asReference = probe;
        Watch(asReference);
        Sys.Stop(probe.Ref);
        ExpectTerminated(probe);
    }

    [Fact]
    public void A_probe_forwards_with_the_first_sender()
    {
        var probe = CreateTestProbe();
        probe.Ref.Tell("through", TestActor);
        probe.ExpectMsg<string>();
        probe.Forward(ActorOf<Echo>());
        ExpectMsg("through");
    }

    [Fact]
    public void An_auto_pilot_answers_by_itself()
    {
        var probe = CreateTestProbe();
        probe.SetAutoPilot(new DelegateAutoPilot((sender, message) =>
        {
            sender.Tell($"re: {message}");
            return AutoPilot.KeepRunning;
        }));
        probe.Ref.Tell("one", TestActor);
        probe.Ref.Tell("two", TestActor);
        ExpectMsg("re: one");
        ExpectMsg("re: two");
    }

    [Fact]
    public async Task AwaitAssert_repeats_until_the_assertion_holds_and_throws_its_last_failure()
    {
        var tries = 0;
        AwaitAssert(() => Assert.Equal(3, ++tries), interval: TimeSpan.FromMilliseconds(1));
        Assert.Equal(3, tries);
        await Assert.ThrowsAsync<EqualException>(() => AwaitAssertAsync(() => Assert.Equal(1, 2), Short, TimeSpan.FromMilliseconds(5)));
    }

    [Fact]
    public async Task AwaitCondition_waits_for_the_condition()
    {
        var tries = 0;
        AwaitCondition(() => ++tries == 3, Patient.Limit, TimeSpan.FromMilliseconds(1));
        await AwaitConditionAsync(() => Task.FromResult(++tries == 5), Patient.Limit, TimeSpan.FromMilliseconds(1));
        Assert.Throws<XunitException>(() => AwaitCondition(() => false, Short));
    }

    [Fact]
    public async Task Within_limits_the_waits_inside_it()
    {
        Assert.Throws<XunitException>(() => Within(Short, () => ExpectMsg<string>()));
        await WithinAsync(Patient.Limit, async () =>
        {
            Assert.InRange(Remaining, TimeSpan.Zero, Patient.Limit);
            TestActor.Tell("x");
            await ExpectMsgAsync("x");
        });
        Assert.Throws<InvalidOperationException>(() => Remaining);
    }

    [Fact]
    public async Task EventFilter_expects_what_is_logged()
    {
        var echo = ActorOf<Echo>();
        EventFilter.Exception<InvalidOperationException>(contains: "told").ExpectOne(() => echo.Tell("fail"));
        await EventFilter.Warning(contains: "careful").ExpectAsync(2, () =>
        {
            echo.Tell("warn");
            echo.Tell("warn");
            return Task.CompletedTask;
        });
        await EventFilter.DeadLetter<string>().ExpectOneAsync(() => Sys.DeadLetters.Tell("lost"));
    }

    [Fact]
    public void EventFilter_fails_when_the_event_is_missing_or_comes_too_often()
    {
        var echo = ActorOf<Echo>();
        Assert.Throws<XunitException>(() => EventFilter.Warning().ExpectOne(Short, () => { }));
        Assert.Throws<XunitException>(() => EventFilter.Warning(contains: "careful").Expect(0, Patient.Limit, () => echo.Tell("warn")));
    }
}
