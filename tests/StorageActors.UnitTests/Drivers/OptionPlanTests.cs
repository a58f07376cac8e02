using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using StorageActors.Drivers.Mounting;
using StorageActors.Drivers.Overlay;
using StorageActors.Linux;
using Xunit;

namespace StorageActors.UnitTests.Drivers;

public sealed class OptionPlanTests
{
    private static readonly KeyValuePair<string, string>[] Words = [new("index", "off"), new("redirect_dir", "off")];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_layer_is_named_once_and_in_order_in_one_page_by_the_first_names_that_fit(int seed)
    {
        var random = new Random(seed);
        for (var count = 0; count < 200; count++)
        {
            var page = 500 + random.Next(4000);
            var lowers = Enumerable.Range(0, 1 + random.Next(150)).Select(number => $"/store/overlay/{new string((char)('a' + (number % 26)), 10 + random.Next(60))}{number}/diff").ToList();
            var isWritable = random.Next(2) == 0;
            var stack = new OverlayStack(lowers, isWritable ? "/store/overlay/top/diff" : null, isWritable ? "/store/overlay/top/work" : null, MountWords.None);
            Func<string, string>[] namings = [path => path["/store/overlay/".Length..], path => "l/" + Short(path)];
            var lengths = namings.Select(name => string.Join(',', OptionPlan.Options(stack, name, Words)).Length).ToList();
            if (lengths.All(length => length >= page))
            {
                var refusal = Assert.Throws<LinuxException>(() => OptionPlan.Make(stack, Words, page, namings));
                Assert.Equal(Errno.E2BIG, refusal.Errno);
                CheckWhatWouldFit(stack, namings[^1], page, refusal.Message);
                continue;
            }

            var call = Assert.Single(OptionPlan.Make(stack, Words, page, namings));
            var expected = lengths[0] < page ? namings[0] : namings[1];
            Assert.True(call.Data.Length < page);
            Assert.Equal(lowers.Select(expected), call.Data.Split(',')[0]["lowerdir=".Length..].Split(':'));
            Assert.Equal(isWritable, call.Data.Contains(",upperdir=", StringComparison.Ordinal));
            Assert.Equal(isWritable ? MountFlags.None : MountFlags.ReadOnly, call.Flags);
        }
    }

    [Fact]
    public void What_separates_options_is_escaped()
    {
        var stack = new OverlayStack(["/a:b,c\\d"], "/u,p:", "/w", MountWords.None with { Attributes = MountAttributes.NoDevices, Volatile = true });
        var call = Assert.Single(OptionPlan.Make(stack, [], 4096, path => path));
        Assert.Equal("lowerdir=/a\\:b\\,c\\\\d,upperdir=/u\\,p:,workdir=/w,volatile", call.Data);
        Assert.Equal(MountFlags.NoDevices, call.Flags);
    }

    private static void CheckWhatWouldFit(OverlayStack stack, Func<string, string> name, int page, string message)
    {
        var fitting = int.Parse(Regex.Match(message, "(?<fitting>[0-9]+) of them would fit", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Groups["fitting"].Value, CultureInfo.InvariantCulture);
        int Length(int layers) => string.Join(',', OptionPlan.Options(stack with { Lowers = [.. stack.Lowers.Take(layers)] }, name, Words)).Length;
        Assert.True(Length(fitting + 1) >= page);
        if (fitting > 0) Assert.True(Length(fitting) < page);
    }

    private static string Short(string path) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(path)))[..26];
}
