using System.Buffers.Binary;
using System.IO.Pipelines;
using Google.Protobuf;
using StorageActors.Grpc.Calls;

namespace StorageActors.Grpc.Framing;

/// <summary>Messages into a response's body, never compressed.</summary>
internal sealed class FrameWriter(PipeWriter body, int maximum)
{
    private const int HeaderLength = 5;

    /// <summary>Adds a message; it goes out with the next flush, or with the end.</summary>
    /// <exception cref="GrpcException">The message is larger than callers are promised to get.</exception>
    internal void Write(IMessage message)
    {
        var length = message.CalculateSize();
        if (length > maximum) throw new GrpcException(GrpcStatusCode.ResourceExhausted, $"the answer would have {length} bytes; {maximum} are the most that is sent");
        var header = body.GetSpan(HeaderLength);
        header[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(header[1..], (uint)length);
        body.Advance(HeaderLength);
        message.WriteTo(body);
    }

    /// <summary>Sends what was added, and waits while the caller takes his time.</summary>
    internal async ValueTask FlushAsync(CancellationToken stop) => await body.FlushAsync(stop);
}
