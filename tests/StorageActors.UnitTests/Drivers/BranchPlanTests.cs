using System.Text;
using StorageActors.Drivers.Aufs;
using StorageActors.Drivers.Mounting;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.UnitTests.Architecture;
using Xunit;

namespace StorageActors.UnitTests.Drivers;

public sealed class BranchPlanTests
{
    private const int Page = 4096;
    private const string Xino = "/dev/shm/aufs-0123abcd.xino";
    private const string LongRoot = "/srv/containers/tenant-0123456789/storage-actors/production/aufs";

    [Fact]
    public void Small_stack_is_one_call_of_known_text()
    {
        var stack = Stack("/home", 2) with { Label = "system_u:object_r:x:s0:c1,c2", Dirperm1 = true };
        Assert.Equal(
            [new MountCall(MountFlags.None, $"br:/home/layer0/diff=rw:/home/layer1/diff=ro+wh:/home/layer2/diff=ro+wh,dio,xino={Xino},dirperm1,context=\"system_u:object_r:x:s0:c1,c2\"")],
            BranchPlan.Make(stack, Page));
        Assert.Equal($"br:layer0/diff=ro+wh,dio,xino={Xino}", BranchPlan.Make(Stack("", 0) with { Writable = false }, Page).Single().Data);
    }

    [Fact]
    public void What_does_not_fit_is_appended_by_remounts_that_keep_the_flags()
    {
        var calls = BranchPlan.Make(Stack(LongRoot, 100, ids: Hex) with { Flags = MountFlags.NoDevices | MountFlags.ReadOnly }, Page);
        Assert.Equal(MountFlags.NoDevices | MountFlags.ReadOnly, calls[0].Flags);
        Assert.All(calls.Skip(1), call => Assert.Equal(MountFlags.NoDevices | MountFlags.ReadOnly | MountFlags.Remount, call.Flags));
        Assert.All(calls.Skip(1), call => Assert.Matches($"^append:{LongRoot}/[0-9a-f]{{64}}/diff=ro[+]wh(,append:[^,]*)*$", call.Data));
    }

    [Fact]
    public void Hundred_layers_take_two_calls_whatever_the_root_is_called()
    {
        // The layer on top and 99 below; names relative to the home do not have the root in them.
        Assert.Equal(2, BranchPlan.Make(Stack("", 99, ids: Hex), Page).Count);
        Assert.Equal(2, BranchPlan.Make(Stack("", 100, ids: Hex) with { Dirperm1 = true }, Page).Count);
        var filledOnce = BranchPlan.Make(Stack(LongRoot, 99, ids: Hex), Page)[0];
        Assert.True(1 + 99 - (BranchesOf(filledOnce).Count - 1) >= 35);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Every_layer_is_named_once_and_in_order_and_no_call_is_over_a_page(int seed)
    {
        foreach (var (stack, page) in Cases(seed))
        {
            var calls = BranchPlan.Make(stack, page);
            var expected = new[] { stack.Layer }.Concat(stack.Ancestors).Select(stack.PathOf);
            Assert.Equal(expected, calls.SelectMany(BranchesOf));
            Assert.All(calls, call => Assert.True(Encoding.UTF8.GetByteCount(call.Data) < page, $"{call.Data.Length} of {page}"));
            Assert.All(calls, call => Assert.True(BranchesOf(call).Count <= BranchPlan.MaximumOptions));
            Assert.DoesNotContain(calls.Skip(1), call => !call.Flags.HasFlag(MountFlags.Remount));
            Assert.False(calls[0].Flags.HasFlag(MountFlags.Remount));
        }
    }

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void There_are_as_few_calls_as_there_can_be(int seed)
    {
        foreach (var (stack, page) in Cases(seed)) Assert.Equal(Fewest(stack, page), BranchPlan.Make(stack, page).Count);
    }

    [Fact]
    public void First_call_keeps_the_room_that_the_other_options_need()
    {
        // One byte more of a path, and the branch goes to the next call: 54 bytes, 9 for dirperm1 and the label are kept free.
        foreach (var (label, dirperm1) in (ReadOnlySpan<(string, bool)>)[("", false), ("", true), ("u:r:t:s0", false), ("u:r:t:s0", true)])
        {
            var reserve = 54 + (dirperm1 ? 9 : 0) + (label.Length == 0 ? 0 : ",context=\"\"".Length + label.Length);
            var fixedPart = "br:/layer0/diff=rw".Length + ":/layer1/diff=ro+wh".Length;
            for (var more = -1; more <= 1; more++)
            {
                // Each of the two branches has the root's length once.
                var rootLength = (Page - reserve - fixedPart) / 2 + more;
                var root = "/" + new string('r', rootLength);
                var stack = Stack(root, 1) with { Label = label, Dirperm1 = dirperm1 };
                var fits = fixedPart + 2 * root.Length <= Page - reserve;
                Assert.Equal(fits ? 1 : 2, BranchPlan.Make(stack, Page).Count);
            }
        }
    }

    [Fact]
    public void Branch_that_no_page_can_name_is_refused()
    {
        var root = "/" + new string('r', Page);
        Assert.Contains("4095 bytes", Assert.Throws<BranchPlanException>(() => BranchPlan.Make(Stack(root, 0), Page)).Message, StringComparison.Ordinal);
        // A first branch that fits, and one below that does not.
        var stack = Stack("/r", 1) with { Ancestors = [LayerId.Parse(new string('a', 100))] };
        Assert.Throws<BranchPlanException>(() => BranchPlan.Make(stack, 110));
        Assert.Equal(2, BranchPlan.Make(stack, 130).Count);
    }

    [Fact]
    public void Table_in_the_documents_is_what_the_plan_says()
    {
        var expected = new[] { 1, 40, 41, 100, 500 }.Select(layers =>
        {
            var absolute = BranchPlan.Make(Stack(LongRoot, layers, ids: Hex), Page);
            var eachAlone = 1 + layers - (BranchesOf(absolute[0]).Count - 1);
            return $"| {layers} | {eachAlone} | {absolute.Count} | {BranchPlan.Make(Stack("", layers, ids: Hex), Page).Count} |";
        });
        var document = File.ReadAllLines(Path.Combine(RepositoryRoot.Path, "docs", "benchmarks.md"));
        var table = document.SkipWhile(line => !line.StartsWith("| Layers below |", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|'));
        Assert.Equal(expected, table);
        Assert.Contains(document, line => line.Contains($"`{LongRoot}`", StringComparison.Ordinal));
    }

    internal static string Hex(int number) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(number)));

    internal static BranchStack Stack(string root, int ancestors, Func<int, string>? ids = null)
    {
        ids ??= static number => $"layer{number}";
        return new BranchStack(
            root, LayerId.Parse(ids(0)), [.. Enumerable.Range(1, ancestors).Select(number => LayerId.Parse(ids(number)))], Writable: true, MountFlags.None, "", Dirperm1: false, Xino);
    }

    private static IEnumerable<(BranchStack Stack, int Page)> Cases(int seed)
    {
        var random = new Random(seed);
        for (var count = 0; count < 150; count++)
        {
            var page = random.Next(3) == 0 ? 600 + random.Next(3000) : Page;
            var root = random.Next(4) == 0 ? "" : "/" + new string('r', random.Next(page / 4));
            var spread = random.Next(1, 120);
            var names = Enumerable.Range(0, 1 + random.Next(random.Next(2) == 0 ? 300 : 20)).Select(number => $"{number:d4}{new string('x', random.Next(spread))}").ToList();
            var label = random.Next(3) == 0 ? new string('l', 1 + random.Next(60)) : "";
            yield return (new BranchStack(
                root, LayerId.Parse(names[0]), [.. names.Skip(1).Select(LayerId.Parse)], random.Next(2) == 0, MountFlags.None, label, random.Next(2) == 0, Xino), page);
        }
    }

    /// <summary>The paths that a call names, parsed as the module parses them.</summary>
    private static List<string> BranchesOf(MountCall call)
    {
        var found = new List<string>();
        foreach (var option in call.Data.Split(','))
        {
            if (option.StartsWith("br:", StringComparison.Ordinal)) found.AddRange(option[3..].Split(':').Select(branch => branch.Split('=')[0]));
            else if (option.StartsWith("append:", StringComparison.Ordinal)) found.Add(option[7..].Split('=')[0]);
        }

        return found;
    }

    /// <summary>The fewest calls, tried out over all ways to cut the list, from the texts alone.</summary>
    private static int Fewest(BranchStack stack, int page)
    {
        var paths = stack.Ancestors.Select(stack.PathOf).ToList();
        var first = "br:" + stack.PathOf(stack.Layer) + (stack.Writable ? "=rw" : "=ro+wh");
        var room = page - 54 - (stack.Dirperm1 ? 9 : 0) - (stack.Label.Length == 0 ? 0 : stack.Label.Length + 11);
        var best = Enumerable.Repeat(int.MaxValue, paths.Count + 1).ToArray();
        for (var taken = 0; taken <= paths.Count && taken < BranchPlan.MaximumOptions; taken++)
        {
            if ((first + string.Concat(paths.Take(taken).Select(path => $":{path}=ro+wh"))).Length <= room) best[taken] = 1;
        }

        for (var from = 0; from < paths.Count; from++)
        {
            if (best[from] == int.MaxValue) continue;
            for (var to = from + 1; to <= paths.Count && to - from <= BranchPlan.MaximumOptions; to++)
            {
                if (string.Join(',', paths[from..to].Select(path => $"append:{path}=ro+wh")).Length > page - 1) break;
                best[to] = Math.Min(best[to], best[from] + 1);
            }
        }

        return best[^1];
    }
}
