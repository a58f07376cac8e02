using Akka.Actor;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.EngineTests.Support;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.DriverOperations;

/// <summary>Pauses between attempts, by a clock that stands still.</summary>
public sealed class BackOffTests : EngineTest
{
    private static readonly StorageError Error = new(StorageErrorCode.InUse, "test", "it is busy");
    private readonly TestStore _store = new();
    private readonly IActorRef _operations;

    public BackOffTests()
        : base(ManualScheduler.Setting) =>
        _operations = Sys.ActorOf(DriverOperationsActor.Props(_store.Services, new RetryPolicy(5, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(60))));

    [Fact]
    public void Each_pause_is_twice_as_long_as_the_one_before_up_to_the_longest()
    {
        _operations.Tell(new DriverProtocol.Perform(1, new AlwaysBusy()));
        foreach (var seconds in (int[])[10, 20, 40, 60, 60])
        {
            var pause = ((ManualScheduler)Sys.Scheduler).TakeFor(_operations);
            Assert.InRange(pause.Delay.TotalSeconds, seconds, seconds * (1 + RetryPolicy.Jitter));
            pause.Tell();
        }

        Assert.Equal(Error with { Message = "it is busy (tried 6 times)" }, ExpectMsg<DriverProtocol.Failed>().Error);
    }

    [Fact]
    public void Cancelling_ends_the_pause()
    {
        _operations.Tell(new DriverProtocol.Perform(1, new AlwaysBusy()));
        ((ManualScheduler)Sys.Scheduler).TakeFor(_operations);
        _operations.Tell(new DriverProtocol.Cancel(1));
        Assert.Equal(StorageErrorCode.Cancelled, ExpectMsg<DriverProtocol.Failed>().Error.Code);
    }

    [Fact]
    public void Chance_makes_a_pause_longer_by_a_fifth_at_most_and_never_shorter()
    {
        var policy = new RetryPolicy(3, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4));
        Assert.Equal([1, 2, 4, 4, 4], new[] { 1, 2, 3, 4, 2000 }.Select(failures => policy.PauseBefore(failures, 0).TotalSeconds));
        Assert.Equal([1.2, 2.4, 4.8], new[] { 1, 2, 3 }.Select(failures => policy.PauseBefore(failures, 1).TotalSeconds));
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        _store.Dispose();
    }

    private sealed record AlwaysBusy : DriverOperation<string>
    {
        internal override string Verb => "try";

        internal override string Execute(DriverServices services, CancellationToken stop) => throw new TransientDriverException(Error);
    }
}
