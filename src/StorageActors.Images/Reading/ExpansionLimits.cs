using StorageActors.Client;
using StorageActors.Protocol;

namespace StorageActors.Images.Reading;

/// <summary>
/// How far a compressed archive may unfold: as far as a layer of the store may, for each byte. How large a layer may be says nothing of an archive of many; the
/// engine holds each of them to that.
/// </summary>
/// <param name="Ratio">Bytes for each compressed one.</param>
/// <param name="RatioFrom">Bytes from which on that counts.</param>
internal sealed record ExpansionLimits(long Ratio, long RatioFrom)
{
    /// <summary>The settings of a store.</summary>
    internal static async Task<ExpansionLimits> OfAsync(StorageClient store, CancellationToken stop)
    {
        var info = await store.Channel.AskAsync<StoreProtocol.Info>(new StoreProtocol.GetInfo(), stop).ConfigureAwait(false);
        return new ExpansionLimits(info.Limits?.Ratio ?? long.MaxValue, info.Limits?.RatioFrom ?? long.MaxValue);
    }

    internal bool IsBomb(long unfolded, long read) => unfolded > RatioFrom && read < unfolded / Ratio;

    internal string Describe(long unfolded, long read) =>
        $"{read} compressed bytes have unfolded to {unfolded} so far, more than {Ratio} for each, as in a decompression bomb; if it is none, raise limits.ratio";
}
