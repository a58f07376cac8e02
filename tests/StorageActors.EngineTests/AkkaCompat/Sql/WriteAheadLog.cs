using System.Buffers.Binary;

namespace StorageActors.EngineTests.AkkaCompat.Sql;

/// <summary>Counts transactions in a SQLite file's write-ahead log, whose frames say which of them ends one.</summary>
internal static class WriteAheadLog
{
    private const int HeaderBytes = 32;
    private const int FrameHeaderBytes = 24;

    public static int Commits(string database)
    {
        using var file = new FileStream(database + "-wal", FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var log = new byte[file.Length];
        file.ReadExactly(log);
        var pageBytes = (int)BinaryPrimitives.ReadUInt32BigEndian(log.AsSpan(8));
        var salts = log.AsSpan(16, 8);
        var commits = 0;
        for (var at = HeaderBytes; at + FrameHeaderBytes + pageBytes <= log.Length; at += FrameHeaderBytes + pageBytes)
        {
            var frame = log.AsSpan(at, FrameHeaderBytes);
            if (!frame.Slice(8, 8).SequenceEqual(salts)) break;   // left from before the log began anew
            if (BinaryPrimitives.ReadUInt32BigEndian(frame[4..]) != 0) commits++;
        }
        return commits;
    }
}
