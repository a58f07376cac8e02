using StorageActors.Catalog;
using StorageActors.Engine;
using StorageActors.Journal;
using StorageActors.Protocol;
using StorageActors.Store;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>What is kept of an image besides its layers and documents: dates, names of old, labels.</summary>
public sealed class ImageRecordTests : StoreTest
{
    private static readonly ImageId First = ImageId.Of(DiffOf("config 1"));
    private static readonly ImageId Second = ImageId.Of(DiffOf("config 2"));
    private static readonly DateTimeOffset Made = new(2019, 5, 6, 9, 8, 7, TimeSpan.FromHours(2));

    [Fact]
    public async Task An_image_was_made_when_its_caller_says_and_added_when_it_came()
    {
        await using var engine = await StartAsync();
        var before = DateTimeOffset.UtcNow;

        var given = await engine.Client.PutImageAsync(Image(First) with { Created = Made });
        var unknown = await engine.Client.PutImageAsync(Image(Second));
        var again = await engine.Client.PutImageAsync(Image(First));
        var corrected = await engine.Client.PutImageAsync(Image(Second) with { Created = Made });

        Assert.Equal((Made, TimeSpan.Zero), (given.Created, given.Created.Offset));
        Assert.InRange(given.Added!.Value, before, DateTimeOffset.UtcNow);
        Assert.Equal(unknown.Added, unknown.Created);
        Assert.Equal((given.Created, given.Added), (again.Created, again.Added));
        Assert.Equal((Made, unknown.Added), (corrected.Created, corrected.Added));
    }

    [Fact]
    public async Task Names_that_an_image_ever_had_are_kept_newest_first()
    {
        await using var engine = await StartAsync();

        var image = await engine.Client.PutImageAsync(Image(First, "a", "b"));
        Assert.Equal(["b", "a"], image.NamesHistory!);
        Assert.Equal(["c", "b", "a"], (await NameAsync(engine, First, ["c", "b"], ["a"])).NamesHistory!);
        Assert.Equal(["a", "c", "b"], (await NameAsync(engine, First, ["a"], ["b", "c"])).NamesHistory!);

        // One that takes a name from another leaves it in the other's history.
        Assert.Equal(["a", "d", "x", "y"], (await engine.Client.PutImageAsync(Image(Second, "d", "a") with { NamesHistory = ["x", "y"] })).NamesHistory!);
        var robbed = (await engine.Client.ResolveAsync(First.Value)).Image!;
        Assert.Empty(robbed.Names);
        Assert.Equal(["a", "c", "b"], robbed.NamesHistory!);
        Assert.Null((await engine.Client.PutImageAsync(Image(ImageId.Of(DiffOf("config 3"))))).NamesHistory);
        Assert.Empty(await LayerLifeTests.CheckAsync(engine));
    }

    [Fact]
    public void An_event_of_a_name_has_what_changed_alone_and_adds_up_to_the_history()
    {
        string[] old = [.. Enumerable.Range(0, 900).Select(static number => $"old-{number}")];
        var image = new ImageRecord(First, ["a", "b"], [], new Dictionary<string, string>(), Made, null, [], NamesHistory: ["b", "a", .. old]);
        var other = new ImageRecord(Second, ["c"], [], new Dictionary<string, string>(), Made, null, []);
        var state = CatalogState.Empty.Apply(new CatalogEvent.ImagePut(image)).Apply(new CatalogEvent.ImagePut(other));

        Assert.False(ImageRules.ChangeNames(state, First, new CatalogProtocol.ChangeNames(null, First, ["d", "c"], ["a"], Steal: true)).IsRefused(out _, out var changed));

        var events = changed.Events.Cast<CatalogEvent.ImageNamed>().ToList();
        Assert.All(events, static happened => Assert.Null(happened.History));
        Assert.Equal([[], ["d", "c"]], events.Select(static happened => happened.Given!));
        var now = state.Apply(changed.Events);
        Assert.Equal(["c", "d", "b", "a", .. old], now.FindImage(First)!.NamesHistory!);
        Assert.Equal(["c"], now.FindImage(Second)!.NamesHistory!);
        // Events of before say all of it.
        Assert.Equal(["x"], state.Apply(new CatalogEvent.ImageNamed(First, ["x"], ["x"])).FindImage(First)!.NamesHistory!);
        Assert.Equal(image.NamesHistory, state.Apply(new CatalogEvent.ImageNamed(First, ["x"])).FindImage(First)!.NamesHistory);
    }

    [Fact]
    public async Task A_history_that_is_malformed_or_too_long_is_refused_and_one_that_grows_forgets_its_oldest()
    {
        await using var engine = await StartAsync();

        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(engine.Client.PutImageAsync(Image(First) with { NamesHistory = ["a b"] })));
        var names = Enumerable.Range(0, 1001).Select(static number => $"n{number}").ToArray();
        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(engine.Client.PutImageAsync(Image(First) with { NamesHistory = names })));
        var image = await engine.Client.PutImageAsync(Image(First, "now") with { NamesHistory = names[..1000] });
        Assert.Equal(["now", .. names[..999]], image.NamesHistory!);
    }

    [Fact]
    public async Task Labels_of_an_image_are_set_changed_and_taken_away()
    {
        await using var engine = await StartAsync();
        await engine.Client.PutImageAsync(Image(First) with { Labels = Labels("a", "1") });

        Assert.Equal(["a=1", "b=2"], Text(await LabelAsync(engine, First, Labels("b", "2"))));
        Assert.Equal(["b=3"], Text(await LabelAsync(engine, First, new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = "", ["b"] = "3" })));
        Assert.Equal(["b=3", "c=4"], Text(await engine.Client.PutImageAsync(Image(First) with { Labels = Labels("c", "4") })));

        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(LabelAsync(engine, Second, Labels("a", "1"))));
        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(LabelAsync(engine, First, Labels("a b", "1"))));
        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(AskAsync(engine, new CatalogProtocol.ChangeLabels(null, Labels("a", "1")))));
        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(AskAsync(engine, new CatalogProtocol.ChangeLabels(LayerId.New(), Labels("a", "1"), First))));
        Assert.Empty(await LayerLifeTests.CheckAsync(engine));
    }

    [Fact]
    public async Task A_layer_gets_labels_when_it_is_sealed()
    {
        await using var engine = await StartAsync();
        var layer = await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(Labels: new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = "1", ["b"] = "2" }));

        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(engine.Client.SealAsync(new StoreProtocol.Seal(layer.Id, null, Labels("a b", "1")))));
        var sealedLayer = await engine.Client.SealAsync(
            new StoreProtocol.Seal(layer.Id, null, new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = "", ["c"] = "3" }));

        Assert.Equal([("b", "2"), ("c", "3")], sealedLayer.Labels.Select(static label => (label.Key, label.Value)));
    }

    [Fact]
    public async Task Dates_histories_and_labels_are_there_after_a_restart_and_when_the_journal_was_lost()
    {
        ImageRecord before;
        await using (var engine = await StartAsync())
        {
            await engine.Client.PutImageAsync(Image(First, "a") with { Created = Made });
            await NameAsync(engine, First, ["b"], ["a"]);
            before = await LabelAsync(engine, First, Labels("k", "v"));
        }

        await using (var engine = await StartAsync()) Assert.Equivalent(before, (await engine.Client.ListImagesAsync())[0], strict: true);
        foreach (var file in Directory.GetFiles(Root, "journal.db*")) File.Delete(file);
        await using var again = await StartAsync();
        Assert.Equivalent(before, (await again.Client.ListImagesAsync())[0], strict: true);
        Assert.Empty(await LayerLifeTests.CheckAsync(again));
    }

    [Fact]
    public async Task A_crash_before_the_file_has_names_and_labels_loses_neither()
    {
        ImageRecord now;
        ImageRecord old;
        await using (var engine = await StartAsync())
        {
            old = await engine.Client.PutImageAsync(Image(First, "a"));
            await NameAsync(engine, First, ["b"], ["a"]);
            now = await LabelAsync(engine, First, Labels("k", "v"));
        }

        // As a crash leaves it that comes after the journal and before the file.
        ImageFile.Replace(new StoreLayout(Root, "directories"), old);
        await File.WriteAllBytesAsync(Path.Combine(Root, "journal.db-wal"), []);
        await using var again = await StartAsync();
        Assert.Equivalent(now, (await again.Client.ListImagesAsync())[0], strict: true);
        Assert.Equivalent(now, ImageFile.Read(new StoreLayout(Root, "directories"), First), strict: true);
    }

    /// <summary>A record of an earlier version has neither history nor time of arrival; it is read as it is, and both begin with what is known.</summary>
    [Fact]
    public async Task An_image_from_before_histories_were_kept_begins_one_with_the_names_that_it_has()
    {
        await using (var engine = await StartAsync())
        {
            var image = await engine.Client.PutImageAsync(Image(First, "a", "b") with { Created = Made });
            ImageFile.Replace(new StoreLayout(Root, "directories"), image with { NamesHistory = null, Added = null });
        }

        foreach (var file in Directory.GetFiles(Root, "journal.db*")) File.Delete(file);
        await using var again = await StartAsync();
        var adopted = Assert.Single(await again.Client.ListImagesAsync());
        Assert.Equal((null, null, Made), (adopted.NamesHistory, adopted.Added, adopted.Created));
        Assert.Equal(["c", "a", "b"], (await NameAsync(again, First, ["c"], ["a"])).NamesHistory!);
        Assert.Equal(Made, (await again.Client.PutImageAsync(Image(First))).Added);
        Assert.Empty(await LayerLifeTests.CheckAsync(again));
    }

    private static CatalogProtocol.PutImage Image(ImageId id, params string[] names) => new(id, names, [], null, [new BigData("config", [1])]);

    private static Dictionary<string, string> Labels(string key, string value) => new(StringComparer.Ordinal) { [key] = value };

    private static string[] Text(ImageRecord image) => [.. image.Labels.Select(static label => $"{label.Key}={label.Value}")];

    private static Task<CatalogProtocol.Resolved> AskAsync(StorageEngine engine, StoreProtocol.ICommand command) =>
        engine.Client.Channel.AskAsync<CatalogProtocol.Resolved>(command);

    private static async Task<ImageRecord> NameAsync(StorageEngine engine, ImageId image, string[] add, string[] remove) =>
        (await AskAsync(engine, new CatalogProtocol.ChangeNames(null, image, add, remove))).Image!;

    private static async Task<ImageRecord> LabelAsync(StorageEngine engine, ImageId image, Dictionary<string, string> labels) =>
        (await AskAsync(engine, new CatalogProtocol.ChangeLabels(null, labels, image))).Image!;
}
