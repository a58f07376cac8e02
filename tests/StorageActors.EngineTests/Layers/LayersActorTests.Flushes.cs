using Akka.Actor;
using StorageActors.Layers;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Layers;

/// <content>What is journaled when somebody waits for it.</content>
public sealed partial class LayersActorTests
{
    [Fact]
    public void What_happened_to_leases_is_journaled_when_the_layers_are_flushed()
    {
        var layers = Layers();
        Acquire(layers, "one");
        var gate = BreakableJournal.Gate = new TaskCompletionSource();
        try
        {
            Settle();
            ExpectMsg<LayerProtocol.Acquired>(); // The journal is not waited for.
            layers.Tell(new LayerInternal.Flush(1));
            layers.Tell(new LayerInternal.IsRunning(Layer));
            ExpectMsg<LayerInternal.Running>();
            Assert.False(HasMessages);
        }
        finally
        {
            BreakableJournal.Gate = null;
            gate.SetResult();
        }

        ExpectMsg<LayerInternal.Flushed>();
    }

    [Fact]
    public void A_flush_is_not_answered_by_what_answers_the_one_before_it()
    {
        var layers = Layers();
        Acquire(layers, "one");
        var gate = BreakableJournal.Gate = new TaskCompletionSource();
        try
        {
            Settle();
            ExpectMsg<LayerProtocol.Acquired>();
            layers.Tell(new LayerInternal.Flush(1));
            layers.Tell(new LayerInternal.Flush(2));
            layers.Tell(new LayerInternal.IsRunning(Layer));
            ExpectMsg<LayerInternal.Running>();
            Assert.False(HasMessages);
        }
        finally
        {
            BreakableJournal.Gate = null;
            gate.SetResult();
        }

        Assert.Equal(1, ExpectMsg<LayerInternal.Flushed>().Number);
        Assert.Equal(2, ExpectMsg<LayerInternal.Flushed>().Number);
        layers.Tell(new LayerInternal.Flush(3));
        Assert.Equal(3, ExpectMsg<LayerInternal.Flushed>().Number);
    }
}
