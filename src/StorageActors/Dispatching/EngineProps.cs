using Akka.Actor;

namespace StorageActors.Dispatching;

/// <summary>How the engine's own actors are made: on the engine's threads, by a delegate.</summary>
internal static class EngineProps
{
    /// <summary>The dispatcher of all actors that never block, by its path in the configuration.</summary>
    internal const string Dispatcher = "storage-actors.dispatcher";

    /// <summary>
    /// Props of an actor that the delegate makes, at its start and again at each restart. It runs later than it is given, and on another thread: it may capture only what
    /// never changes, never a field of the actor that gives it. (Akka's own way, by an expression tree, compiles code for each argument each time: a third of a millisecond.)
    /// </summary>
    internal static Props Of<TActor>(Func<TActor> make, string dispatcher = Dispatcher)
        where TActor : ActorBase => Props.CreateBy(new Maker<TActor>(make)).WithDispatcher(dispatcher);

    private sealed class Maker<TActor>(Func<TActor> make) : IIndirectActorProducer
        where TActor : ActorBase
    {
        public Type ActorType => typeof(TActor);

        public ActorBase Produce() => make();

        public void Release(ActorBase actor)
        {
            // Nothing is held for an actor.
        }
    }
}
