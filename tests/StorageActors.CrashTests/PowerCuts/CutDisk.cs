using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.CrashTests.PowerCuts;

/// <summary>
/// A <see cref="BlockLog"/> as a file, for a loop device: a FUSE file system whose root is this one file, served by a thread of this process. The kernel sends each write when
/// the loop device has it, and a flush of the device as FSYNC, in order; so the log knows what a real disk would have promised, and when.
/// </summary>
internal sealed class CutDisk : IDisposable
{
    private const int InHeader = 40;
    private const int OutHeader = 16;
    private const int MaximumWrite = 1 << 20;
    private const int Root = 1;

    private readonly SafeFileHandle _device;
    private readonly Thread _server;
    private readonly byte[] _reply = new byte[OutHeader + MaximumWrite];

    /// <summary>Mounts it over the file <paramref name="path"/>, which is made.</summary>
    internal CutDisk(string path, BlockLog log)
    {
        (Path, Log) = (path, log);
        File.WriteAllBytes(path, []);
        _device = Libc.Open("/dev/fuse", OpenFlags.ReadWrite);
        _server = new Thread(Serve) { IsBackground = true, Name = "cut disk" };
        var options = string.Create(CultureInfo.InvariantCulture, $"fd={(int)_device.DangerousGetHandle()},rootmode=100600,user_id=0,group_id=0,allow_other");
        try
        {
            Libc.Mount("cut-disk", path, "fuse", MountFlags.None, Encoding.ASCII.GetBytes(options));
        }
        catch
        {
            _device.Dispose();
            throw;
        }

        _server.Start();
    }

    /// <summary>The file, for a loop device.</summary>
    internal string Path { get; }

    internal BlockLog Log { get; }

    public void Dispose()
    {
        Libc.TryUmount2(Path, UnmountFlags.Detach);
        _server.Join(TimeSpan.FromSeconds(10)); // It ends with the mount; should it not, it is in nobody's way.
        _device.Dispose();
        File.Delete(Path);
    }

    private void Serve()
    {
        var request = new byte[InHeader + 128 + MaximumWrite];
        while (true)
        {
            int length;
            try
            {
                length = Libc.Read(_device, request);
            }
            catch (LinuxException e) when (e.Errno == Errno.ENOENT)
            {
                continue; // An interrupted request was taken back.
            }
            catch (Exception e) when (e is LinuxException or ObjectDisposedException)
            {
                return; // ENODEV: unmounted.
            }

            if (length >= InHeader) Answer(request.AsSpan(0, length));
        }
    }

    private void Answer(ReadOnlySpan<byte> request)
    {
        var unique = BinaryPrimitives.ReadUInt64LittleEndian(request[8..]);
        var body = request[InHeader..];
        switch ((Opcode)BinaryPrimitives.ReadUInt32LittleEndian(request[4..]))
        {
            case Opcode.Init: Reply(unique, Init); break;
            case Opcode.GetAttr or Opcode.SetAttr: Reply(unique, Attributes); break;
            case Opcode.Open: Reply(unique, Opened); break;
            case Opcode.Read:
                var (from, count) = (BinaryPrimitives.ReadInt64LittleEndian(body[8..]), BinaryPrimitives.ReadInt32LittleEndian(body[16..]));
                count = (int)Math.Clamp(Log.Size - from, 0, count);
                Log.Read(from, _reply.AsSpan(OutHeader, count));
                Send(unique, 0, count);
                break;
            case Opcode.Write:
                var size = BinaryPrimitives.ReadInt32LittleEndian(body[16..]);
                Log.Write(BinaryPrimitives.ReadInt64LittleEndian(body[8..]), body.Slice(40, size));
                BinaryPrimitives.WriteInt64LittleEndian(_reply.AsSpan(OutHeader), size);
                Send(unique, 0, 8);
                break;
            case Opcode.FSync:
                Log.Flush();
                Send(unique, 0, 0);
                break;
            case Opcode.Release or Opcode.Access or Opcode.Destroy: Send(unique, 0, 0); break;
            case Opcode.Forget or Opcode.BatchForget or Opcode.Interrupt: break; // These want no answer.
            default: Send(unique, -(int)Errno.ENOSYS, 0); break;
        }
    }

    private void Reply(ulong unique, Func<byte[]> body)
    {
        var content = body();
        content.CopyTo(_reply, OutHeader);
        Send(unique, 0, content.Length);
    }

    private void Send(ulong unique, int error, int length)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_reply, OutHeader + length);
        BinaryPrimitives.WriteInt32LittleEndian(_reply.AsSpan(4), error);
        BinaryPrimitives.WriteUInt64LittleEndian(_reply.AsSpan(8), unique);
        try
        {
            Libc.Write(_device, _reply.AsSpan(0, OutHeader + length));
        }
        catch (LinuxException)
        {
            // The request was given up meanwhile.
        }
    }

    /// <summary>struct fuse_init_out: protocol 7.31, writes of up to 1 MiB.</summary>
    private static byte[] Init()
    {
        var content = new byte[64];
        uint[] head = [7, 31, 1 << 17, (1 << 5) | (1 << 22)];
        for (var i = 0; i < head.Length; i++) BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(i * 4), head[i]);
        BinaryPrimitives.WriteUInt16LittleEndian(content.AsSpan(16), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(content.AsSpan(18), 48);
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(20), MaximumWrite);
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(24), 1);
        BinaryPrimitives.WriteUInt16LittleEndian(content.AsSpan(28), MaximumWrite / 4096);
        return content;
    }

    /// <summary>struct fuse_attr_out of a regular file, good for an hour.</summary>
    private byte[] Attributes()
    {
        var content = new byte[104];
        BinaryPrimitives.WriteInt64LittleEndian(content, 3600);
        BinaryPrimitives.WriteInt64LittleEndian(content.AsSpan(16), Root);
        BinaryPrimitives.WriteInt64LittleEndian(content.AsSpan(24), Log.Size);
        BinaryPrimitives.WriteInt64LittleEndian(content.AsSpan(32), Log.Size / 512);
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(76), 0x8180); // S_IFREG | 0600
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(80), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(96), 4096);
        return content;
    }

    /// <summary>struct fuse_open_out: the kernel may keep what it has read, since nobody else writes.</summary>
    private static byte[] Opened()
    {
        var content = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(8), 2);
        return content;
    }

    private enum Opcode : uint
    {
        Forget = 2,
        GetAttr = 3,
        SetAttr = 4,
        Open = 14,
        Read = 15,
        Write = 16,
        Release = 18,
        FSync = 20,
        Init = 26,
        Access = 34,
        Interrupt = 36,
        Destroy = 38,
        BatchForget = 42,
    }
}
