using StorageActors.Engine;
using StorageActors.Protocol;
using Xunit;
using static StorageActors.Protocol.StorageErrorReason;

namespace StorageActors.EngineTests.Flows;

/// <summary>A caller tells refusals of one kind apart without reading their words, and a conflict says who has what was asked for.</summary>
public sealed class RefusalTests : StoreTest
{
    private static readonly LayerId Unknown = LayerId.Parse("nobody");

    [Fact]
    public async Task A_conflict_carries_what_is_there()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("base", "taken", "name")])))[0].Layer.Id;
        var image = await engine.Client.PutImageAsync(new CatalogProtocol.PutImage(ImageId.Of(DiffOf("a")), ["image"], [layer], null, []));
        var other = await engine.Client.PutImageAsync(new CatalogProtocol.PutImage(ImageId.Of(DiffOf("b")), [], [layer], null, []));
        var free = (await engine.Client.CreateAsync(layer)).Id;

        Assert.Equal((DuplicateId, layer), await ConflictAsync(engine, new StoreProtocol.Apply(null, [Item("more", "taken")])));
        Assert.Equal((DuplicateId, layer), await ConflictAsync(engine, new StoreProtocol.Create(null, new StoreProtocol.LayerSpec(layer))));
        Assert.Equal((DuplicateLayerName, layer), await ConflictAsync(engine, new StoreProtocol.Apply(null, [Item("more", name: "name")])));
        Assert.Equal((DuplicateLayerName, layer), await ConflictAsync(engine, new CatalogProtocol.ChangeNames(free, null, ["name"], [])));
        Assert.Equal((DuplicateLayerName, layer), await ConflictAsync(engine, new StoreProtocol.Seal(free, ["name"])));
        var named = await RefusalAsync(engine, new CatalogProtocol.ChangeNames(null, other.Id, ["image"], []));
        Assert.Equal((DuplicateImageName, image.Id), (named.Reason, named.Image));
        var put = await RefusalAsync(engine, new CatalogProtocol.PutImage(image.Id, [], [], null, []));
        Assert.Equal((StorageErrorCode.AlreadyExists, DuplicateId, image.Id), (put.Code, put.Reason, put.Image));
    }

    [Fact]
    public async Task What_is_not_there_says_what_it_is()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
        var image = await engine.Client.PutImageAsync(new CatalogProtocol.PutImage(ImageId.Of(DiffOf("a")), [], [layer], null, []));
        await engine.Client.MountAsync(layer);

        (StoreProtocol.ICommand Command, StorageErrorReason Reason)[] cases =
        [
            (new StoreProtocol.Remove(Unknown), UnknownLayer),
            (new LayerProtocol.Release(Unknown, null), UnknownLayer),
            (new StoreProtocol.Create(Unknown, new StoreProtocol.LayerSpec()), UnknownParent),
            (new CatalogProtocol.RemoveImage(ImageId.Of(DiffOf("x"))), UnknownImage),
            (new CatalogProtocol.Resolve("nobody"), UnknownReference),
            (new CatalogProtocol.Resolve(DiffOf("x").Value), UnknownDigest),
            (new CatalogProtocol.FindChain(DiffOf("x")), UnknownDigest),
            (new CatalogProtocol.ChangeNames(layer, null, [], ["nobody"]), UnknownName),
            (new CatalogProtocol.ChangeNames(null, image.Id, [], ["nobody"]), UnknownName),
            (new LayerProtocol.Release(layer, LeaseId.Parse("nobody")), UnknownLease),
            (new CatalogProtocol.GetBigData(image.Id, "nothing"), UnknownDocument),
            (new CatalogProtocol.ReadBlob(image.Id, DiffOf("x"), new BlobTarget(Path.Combine(Elsewhere, "blob"))), UnknownDigest),
            (new StoreProtocol.Cancel(TicketId.New()), UnknownTicket),
        ];
        foreach (var (command, reason) in cases) Assert.Equal((command, StorageErrorCode.NotFound, reason), await KindAsync(engine, command));
    }

    [Fact]
    public async Task What_is_in_use_says_by_whom()
    {
        await using var engine = await StartAsync();
        var chain = (await engine.Client.ApplyAsync(Chain("base", "top", "image"))).Select(static one => one.Layer.Id).ToArray();
        await engine.Client.PutImageAsync(new CatalogProtocol.PutImage(ImageId.Of(DiffOf("a")), [], chain, null, []));
        var leased = (await engine.Client.CreateAsync(null)).Id;
        await engine.Client.MountAsync(leased);
        var held = (await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(Labels: new Dictionary<string, string> { [LayerLabels.HeldBy] = "client" }))).Id;

        (StoreProtocol.ICommand Command, StorageErrorReason Reason)[] cases =
        [
            (new StoreProtocol.Remove(chain[0]), LayerHasChildren),
            (new StoreProtocol.Remove(chain[2]), LayerUsedByImage),
            (new StoreProtocol.Remove(leased), LayerLeased),
            (new StoreProtocol.Seal(leased), LayerLeased),
            (new StoreProtocol.Remove(held), LayerHeldByClient),
            (new LayerProtocol.Acquire(held, LeaseId.New(), MountOptions.Default), LayerHeldByClient),
        ];
        foreach (var (command, reason) in cases)
        {
            Assert.Equal((command, StorageErrorCode.InUse, reason), await KindAsync(engine, command));
            Assert.NotNull((await RefusalAsync(engine, command)).Layer);
        }
    }

    [Fact]
    public async Task A_wrong_state_or_argument_says_which()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
        var writable = (await engine.Client.CreateAsync(layer)).Id;
        await engine.Client.MountAsync(writable, new MountOptions(ReadOnly: true));
        await engine.Client.MountAsync(writable, new MountOptions(ReadOnly: true));

        (StoreProtocol.ICommand Command, StorageErrorCode Code, StorageErrorReason Reason)[] cases =
        [
            (new LayerProtocol.Release(layer, null), StorageErrorCode.WrongState, NotMounted),
            (new LayerProtocol.Acquire(writable, LeaseId.New(), MountOptions.Default), StorageErrorCode.WrongState, MountedReadOnly),
            (new StoreProtocol.Seal(layer), StorageErrorCode.WrongState, AlreadySealed),
            (new StoreProtocol.Create(writable, new StoreProtocol.LayerSpec()), StorageErrorCode.WrongState, ParentNotSealed),
            (new CatalogProtocol.PutImage(ImageId.Of(DiffOf("a")), [], [layer, writable], null, []), StorageErrorCode.WrongState, NotSealed),
            (new LayerProtocol.Release(writable, null), StorageErrorCode.InvalidArgument, AmbiguousLease),
            (new CatalogProtocol.ChangeNames(layer, null, ["a b"], []), StorageErrorCode.InvalidArgument, InvalidName),
            (new CatalogProtocol.ChangeNames(null, null, ["a"], []), StorageErrorCode.InvalidArgument, Incomplete),
            (new CatalogProtocol.ChangeLabels(layer, new Dictionary<string, string> { ["a b"] = "" }), StorageErrorCode.InvalidArgument, InvalidLabel),
            (new CatalogProtocol.PutImage(ImageId.Of(DiffOf("a")), [], [layer], null, [new BigData("", [])]), StorageErrorCode.InvalidArgument, InvalidDocumentKey),
        ];
        foreach (var (command, code, reason) in cases) Assert.Equal((command, code, reason), await KindAsync(engine, command));
    }

    private static async Task<StorageError> RefusalAsync(StorageEngine engine, StoreProtocol.ICommand command) =>
        (await engine.Client.Channel.AskAsync<StoreProtocol.Refused>(command)).Error;

    private static async Task<(StorageErrorReason?, LayerId?)> ConflictAsync(StorageEngine engine, StoreProtocol.ICommand command)
    {
        var error = await RefusalAsync(engine, command);
        Assert.Equal(StorageErrorCode.AlreadyExists, error.Code);
        return (error.Reason, error.Layer);
    }

    private static async Task<(StoreProtocol.ICommand, StorageErrorCode, StorageErrorReason)> KindAsync(StorageEngine engine, StoreProtocol.ICommand command)
    {
        var error = await RefusalAsync(engine, command);
        return (command, error.Code, error.Reason ?? throw new Xunit.Sdk.XunitException($"no reason: {error}"));
    }
}
