using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Flows;

public sealed class SingleFlightTests : StoreTest
{
    [Fact]
    public async Task Content_that_is_there_is_not_extracted_again()
    {
        await using var engine = await StartAsync();
        var first = await engine.Client.ApplyAsync(Known("base", "top"));
        World.Extracted.Clear();

        var second = await engine.Client.ApplyAsync(Known("base", "top", "more"));

        Assert.Equal(["more"], World.Extracted);
        Assert.Equal([true, true, false], second.Select(static one => one.Reused));
        Assert.Equal(first.Select(static one => one.Layer.Id), second.Take(2).Select(static one => one.Layer.Id));
        Assert.Equal(first[1].Layer.Id, second[2].Layer.Parent);
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task Content_whose_digest_nobody_gave_is_recognised_when_it_is_extracted()
    {
        await using var engine = await StartAsync();
        var first = await engine.Client.ApplyAsync(Chain("base", "top"));

        var second = await engine.Client.ApplyAsync(Chain("base", "top") with { Reuse = true });

        Assert.Equal(first.Select(static one => one.Layer.Id), second.Select(static one => one.Layer.Id));
        Assert.All(second, static one => Assert.True(one.Reused));
        Assert.Equal(2, (await engine.Client.ListLayersAsync()).Count);
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task Without_reuse_a_second_copy_is_made()
    {
        await using var engine = await StartAsync();
        await engine.Client.ApplyAsync(Known("base") with { Reuse = false });

        var copy = await engine.Client.ApplyAsync(Known("base") with { Reuse = false });

        Assert.False(copy[0].Reused);
        Assert.Equal(2, (await engine.Client.ListLayersAsync()).Count);
    }

    [Fact]
    public async Task The_same_content_asked_for_twice_at_once_is_extracted_once()
    {
        await using var engine = await StartAsync();

        var first = engine.Client.ApplyAsync(Known("hold:a:base", "top"));
        await World.ExtractionsAsync(2);
        var others = Enumerable.Range(0, 5).Select(_ => engine.Client.ApplyAsync(Known("hold:a:base", "top"))).ToList();
        await engine.Client.ListLayersAsync();
        World.Open("a");
        var one = await first;
        var rest = await Task.WhenAll(others);

        Assert.Equal(2, World.Extracted.Count);
        Assert.All(rest, other => Assert.Equal(one.Select(static layer => layer.Layer.Id), other.Select(static layer => layer.Layer.Id)));
        Assert.All(rest.SelectMany(static other => other), static layer => Assert.True(layer.Reused));
        Assert.Equal(2, (await engine.Client.ListLayersAsync()).Count);
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task Chains_that_share_their_lower_layers_share_the_work_on_them()
    {
        await using var engine = await StartAsync();

        var left = engine.Client.ApplyAsync(Known("hold:a:base", "left"));
        await World.ExtractionsAsync(2);
        var right = engine.Client.ApplyAsync(Known("hold:a:base", "right"));
        await World.ExtractionsAsync(3);
        World.Open("a");
        var (one, other) = (await left, await right);

        Assert.Equal(["hold:a:base", "left", "right"], World.Extracted.Order(StringComparer.Ordinal));
        Assert.Equal(one[0].Layer.Id, other[1].Layer.Parent);
        Assert.Equal([true, false], other.Select(static layer => layer.Reused));
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task Who_waits_for_another_does_the_work_himself_when_the_other_gives_up()
    {
        await using var engine = await StartAsync();
        var ticket = TicketId.New();
        var first = engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("hold:a:base", known: true, ticket: ticket)], Reuse: true));
        await World.ExtractionsAsync(1);
        var second = engine.Client.ApplyAsync(Known("hold:a:base", "top"));
        await World.ExtractionsAsync(2); // The top of the second: its base waits for the first.

        await engine.Client.Channel.AskAsync<StoreProtocol.CancelAccepted>(new StoreProtocol.Cancel(ticket));
        Assert.Equal(StorageErrorCode.Cancelled, await RefusedAsync(first));
        await World.ExtractionsAsync(3);
        World.Open("a");

        Assert.Equal([false, false], (await second).Select(static layer => layer.Reused));
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task Many_chains_over_the_same_few_texts_end_and_leave_each_content_once()
    {
        await using var engine = await StartAsync("storage-actors.staging.queue = 1000");
        var random = new Random(4711);
        var texts = new[] { "a", "b", "c" };
        var chains = Enumerable.Range(0, 60).Select(_ => Enumerable.Range(0, random.Next(1, 5)).Select(_ => texts[random.Next(3)]).ToArray()).ToList();

        // Some say their digests beforehand, some do not: both ways of finding out have to meet.
        var applied = await Task.WhenAll(chains.Select((chain, index) => engine.Client.ApplyAsync(
            new StoreProtocol.Apply(null, [.. chain.Select((text, place) => Item(text, known: (index + place) % 3 != 0))], Reuse: true))));

        foreach (var (chain, layers) in chains.Zip(applied))
        {
            Assert.Equal(chain.Select(DiffOf), layers.Select(static layer => layer.Layer.DiffId!.Value));
            Assert.Equal(layers.SkipLast(1).Select(static layer => (LayerId?)layer.Layer.Id).Prepend(null), layers.Select(static layer => layer.Layer.Parent));
        }

        var chainIds = (await engine.Client.ListLayersAsync()).Select(static layer => layer.ChainId).ToList();
        Assert.Equal(chainIds.Distinct().Count(), chainIds.Count);
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task Names_for_content_that_is_known_are_added_to_it()
    {
        await using var engine = await StartAsync();
        var first = await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("base", name: "one", known: true)], Reuse: true));

        var second = await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("base", id: "ignored", name: "two", known: true)], Reuse: true));

        Assert.Equal(first[0].Layer.Id, second[0].Layer.Id);
        Assert.Equal(["one", "two"], second[0].Layer.Names);
    }

    private StoreProtocol.Apply Known(params string[] texts) => new(null, [.. texts.Select(text => Item(text, known: true))], Reuse: true);
}
