using System.Buffers.Binary;
using StorageActors.Grpc.Calls;

namespace StorageActors.Grpc.Framing;

/// <summary>
/// The messages of a request's body: each a flag, its length in four bytes, most significant first, and so many bytes. What a caller says of a length is
/// checked against the limit, and memory is taken as bytes come, not as they are announced.
/// </summary>
internal sealed class FrameReader(Stream body, int maximum)
{
    private const int HeaderLength = 5;
    private const int FirstBuffer = 64 * 1024;

    /// <summary>The next message; null when there is none.</summary>
    /// <exception cref="GrpcException">It is cut short, too large, or compressed.</exception>
    internal async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken stop)
    {
        var header = new byte[HeaderLength];
        var read = await body.ReadAtLeastAsync(header, HeaderLength, throwOnEndOfStream: false, stop);
        if (read == 0) return null;
        if (read < HeaderLength) throw CutShort();
        if (header[0] == 1) throw new GrpcException(GrpcStatusCode.Internal, "the message is compressed, but the call names no encoding");
        if (header[0] != 0) throw new GrpcException(GrpcStatusCode.Internal, $"{header[0]} is no flag of a message");
        var length = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(1));
        if (length > maximum) throw new GrpcException(GrpcStatusCode.ResourceExhausted, $"the message has {length} bytes; {maximum} are the most that is taken");
        return await ReadMessageAsync((int)length, stop);
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReadMessageAsync(int length, CancellationToken stop)
    {
        var message = new byte[Math.Min(length, FirstBuffer)];
        for (var filled = 0; filled < length;)
        {
            if (filled == message.Length) Array.Resize(ref message, (int)Math.Min(length, 2L * message.Length));
            var read = await body.ReadAsync(message.AsMemory(filled), stop);
            if (read == 0) throw CutShort();
            filled += read;
        }

        return message;
    }

    private static GrpcException CutShort() => new(GrpcStatusCode.Internal, "the message is cut short");
}
