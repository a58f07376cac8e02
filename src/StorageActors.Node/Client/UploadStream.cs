using System.Net;

namespace StorageActors.Node.Client;

/// <summary>
/// The writing end of an upload: what is written goes straight into the body of a request that runs meanwhile. Disposing ends the body and
/// waits for the node's word that it has all of it.
/// </summary>
internal sealed class UploadStream : Stream
{
    private readonly TaskCompletionSource<Stream> _body = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _request;

    internal UploadStream(HttpClient http, string address) => _request = SendAsync(http, address);

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            var body = await _body.Task.WaitAsync(cancellationToken);
            await body.WriteAsync(buffer, cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or ObjectDisposedException)
        {
            throw new IOException("the node stopped reading", e);
        }
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("write asynchronously");

    /// <inheritdoc/>
    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_body.Task.IsCompletedSuccessfully) await (await _body.Task).FlushAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        // Nothing is kept back on this side.
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        _ended.TrySetResult();
        // Whether the store took it all is the business of the command that names this upload.
        await _request.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.DisposeAsync();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _ended.TrySetResult();
        base.Dispose(disposing);
    }

    private async Task SendAsync(HttpClient http, string address)
    {
        try
        {
            using var content = new Body(_body, _ended.Task);
            using var request = new HttpRequestMessage(HttpMethod.Put, address) { Content = content };
            request.Headers.TransferEncodingChunked = true;
            using var response = await http.SendAsync(request);
            response.EnsureSuccessStatusCode();
        }
        catch (Exception e)
        {
            _body.TrySetException(new IOException("the node does not take the upload", e));
            throw;
        }
    }

    /// <summary>Lends the body's stream out until the writing has ended.</summary>
    private sealed class Body(TaskCompletionSource<Stream> lent, Task ended) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            // The head goes out at once: the node is to know that the stream is in use, however slowly its bytes come.
            await stream.FlushAsync(cancellationToken);
            lent.TrySetResult(stream);
            await ended.WaitAsync(cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
