using System.Collections.Concurrent;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.UnitTests.Identity;

public sealed class FreshNamesTests
{
    private const string Prefix = "lease-";

    /// <summary>Each thread takes them from a stock of its own, which ends in the middle of many a name.</summary>
    [Fact]
    public void Names_made_by_many_threads_are_hexadecimal_never_look_like_numbers_and_have_nothing_in_common()
    {
        var names = new ConcurrentBag<string>();
        Parallel.For(0, 8, _ =>
        {
            for (var i = 0; i < 1000; i++)
            {
                names.Add(Made(LayerId.New().Value, 64));
                names.Add(Made(TicketId.New().Value, 26));
                names.Add(Made(TransferId.New().Value, 26));
                names.Add(Made(LeaseId.New().Value[Prefix.Length..], 16));
            }
        });

        Assert.Equal(32_000, names.Count);
        var pieces = names.SelectMany(static name => name.Chunk(16)).Where(static piece => piece.Length == 16).Select(static piece => new string(piece)).ToList();
        Assert.Equal(pieces.Count, pieces.Distinct(StringComparer.Ordinal).Count());
    }

    private static string Made(string name, int length)
    {
        Assert.Equal(length, name.Length);
        Assert.All(name, static digit => Assert.True(char.IsAsciiHexDigitLower(digit)));
        Assert.Contains(name[..12], static digit => char.IsAsciiLetter(digit));
        return name;
    }
}
