using System.IO.Pipelines;
using Akka.Actor;
using StorageActors.Client;
using StorageActors.Protocol;

namespace StorageActors.EndToEndTests.Node;

/// <summary>A store that answers what the test says, and remembers what it was asked; its streams are pipes in memory.</summary>
internal sealed class FakeStore(Func<StoreProtocol.ICommand, CancellationToken, Task<StoreProtocol.IReply>> answer)
{
    internal List<StoreProtocol.ICommand> Asked { get; } = [];

    internal Dictionary<string, Pipe> Pipes { get; } = new(StringComparer.Ordinal);

    internal List<IProgress<StagingProgress>> Observers { get; } = [];

    internal TaskCompletionSource Watched { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal static FakeStore Answering(StoreProtocol.IReply reply) => new((_, _) => Task.FromResult(reply));

    internal TaskCompletionSource<TransferId> Aborted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal void Abort(TransferId id, string reason) => Aborted.TrySetResult(id);

    internal IStorageChannel Open() => new FakeChannel(this, answer);

    private sealed class FakeChannel(FakeStore store, Func<StoreProtocol.ICommand, CancellationToken, Task<StoreProtocol.IReply>> answer) : IStorageChannel
    {
        public IActorRef? Holder => ActorRefs.Nobody;

        public async Task<TReply> AskAsync<TReply>(StoreProtocol.ICommand command, CancellationToken stop = default)
            where TReply : StoreProtocol.IReply
        {
            lock (store.Asked) store.Asked.Add(command);
            return (TReply)await answer(command, stop);
        }

        public Task<OpenTransfer> OpenUploadAsync(CancellationToken stop = default) => Task.FromResult(Open(static pipe => pipe.Writer.AsStream()));

        public Task<OpenTransfer> OpenDownloadAsync(CancellationToken stop = default) => Task.FromResult(Open(static pipe => pipe.Reader.AsStream()));

        public IDisposable WatchProgress(TicketId ticket, IProgress<StagingProgress> observer)
        {
            store.Observers.Add(observer);
            store.Watched.TrySetResult();
            return new MemoryStream();
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private OpenTransfer Open(Func<Pipe, Stream> side)
        {
            var (id, pipe) = (TransferId.New(), new Pipe());
            store.Pipes[id.Value] = pipe;
            return new OpenTransfer(id, side(pipe));
        }
    }
}
