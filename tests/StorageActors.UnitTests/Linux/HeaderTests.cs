using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using StorageActors.Linux;
using StorageActors.Linux.Codecs;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Linux;

/// <summary>Our numbers and layouts against the C headers of this machine: a C compiler is the judge.</summary>
public sealed class HeaderTests
{
    private const string Headers = """
        #define _GNU_SOURCE
        #include <stddef.h>
        #include <errno.h>
        #include <fcntl.h>
        #include <sched.h>
        #include <unistd.h>
        #include <dirent.h>
        #include <sys/stat.h>
        #include <sys/file.h>
        #include <sys/vfs.h>
        #include <sys/xattr.h>
        #include <sys/resource.h>
        #include <sys/syscall.h>
        #include <sys/utsname.h>
        #include <sys/inotify.h>
        #include <sys/mman.h>
        #include <linux/fs.h>
        #include <linux/magic.h>
        #include <linux/openat2.h>
        #include <linux/falloc.h>
        #include <linux/fiemap.h>
        #include <linux/mount.h>
        #define CHECK(what, value) _Static_assert((unsigned long long)(what) == (value), #what " is not " #value)
        """;

    [SkippableFact]
    public void Error_numbers_are_those_of_errno_h() =>
        Compile(Enum.GetValues<Errno>().Where(errno => errno != Errno.None).Select(errno => Check($"{errno}", (int)errno)));

    [SkippableFact]
    public void Open_flags_are_those_of_this_processor() => Compile(
        new (OpenFlags Flag, string Name)[]
        {
            (OpenFlags.ReadOnly, "O_RDONLY"), (OpenFlags.WriteOnly, "O_WRONLY"), (OpenFlags.ReadWrite, "O_RDWR"),
            (OpenFlags.Create, "O_CREAT"), (OpenFlags.Exclusive, "O_EXCL"), (OpenFlags.NoControllingTerminal, "O_NOCTTY"),
            (OpenFlags.Truncate, "O_TRUNC"), (OpenFlags.Append, "O_APPEND"), (OpenFlags.NonBlocking, "O_NONBLOCK"),
            (OpenFlags.DataSync, "O_DSYNC"), (OpenFlags.Sync, "O_SYNC"), (OpenFlags.Direct, "O_DIRECT"),
            (OpenFlags.Directory, "O_DIRECTORY"), (OpenFlags.NoFollow, "O_NOFOLLOW"), (OpenFlags.NoAccessTime, "O_NOATIME"),
            (OpenFlags.Path, "O_PATH"), (OpenFlags.TemporaryFile, "O_TMPFILE"),
        }.Select(flag => Check($"({flag.Name} | O_CLOEXEC)", flag.Flag.ToNative())));

    [SkippableFact]
    public void Other_flags_are_those_of_the_headers() => Compile(
    [
        Check("RESOLVE_NO_XDEV", (long)ResolveFlags.NoCrossDevice), Check("RESOLVE_NO_MAGICLINKS", (long)ResolveFlags.NoMagicLinks),
        Check("RESOLVE_NO_SYMLINKS", (long)ResolveFlags.NoSymlinks), Check("RESOLVE_BENEATH", (long)ResolveFlags.Beneath),
        Check("RESOLVE_IN_ROOT", (long)ResolveFlags.InRoot), Check("RESOLVE_CACHED", (long)ResolveFlags.Cached),
        Check("AT_SYMLINK_NOFOLLOW", (int)AtFlags.SymlinkNoFollow), Check("AT_REMOVEDIR", (int)AtFlags.RemoveDirectory),
        Check("AT_SYMLINK_FOLLOW", (int)AtFlags.SymlinkFollow), Check("AT_NO_AUTOMOUNT", (int)AtFlags.NoAutomount),
        Check("AT_EMPTY_PATH", (int)AtFlags.EmptyPath), Check("AT_RECURSIVE", (int)AtFlags.Recursive),
        Check("RENAME_NOREPLACE", (int)RenameFlags.NoReplace), Check("RENAME_EXCHANGE", (int)RenameFlags.Exchange),
        Check("RENAME_WHITEOUT", (int)RenameFlags.Whiteout),
        Check("IN_MOVED_FROM", (int)NameEvents.MovedFrom), Check("IN_MOVED_TO", (int)NameEvents.MovedTo), Check("IN_CREATE", (int)NameEvents.Create),
        Check("IN_DELETE", (int)NameEvents.Delete), Check("IN_DELETE_SELF", (int)NameEvents.DeleteSelf), Check("IN_MOVE_SELF", (int)NameEvents.MoveSelf),
        Check("IN_Q_OVERFLOW", (int)NameEvents.Overflow), Check("IN_ONLYDIR", (int)NameEvents.OnlyDirectory), Check("IN_NONBLOCK | IN_CLOEXEC", OpenFlags.NonBlocking.ToNative()),
        Check("sizeof(struct inotify_event)", 16), Check("offsetof(struct inotify_event, mask)", 4), Check("offsetof(struct inotify_event, len)", 12),
        Check("XATTR_CREATE", (int)XattrFlags.Create), Check("XATTR_REPLACE", (int)XattrFlags.Replace),
        Check("FALLOC_FL_KEEP_SIZE", (int)AllocationFlags.KeepSize), Check("FALLOC_FL_PUNCH_HOLE", (int)AllocationFlags.PunchHole),
        Check("FALLOC_FL_ZERO_RANGE", (int)AllocationFlags.ZeroRange),
        Check("SEEK_DATA", (int)SeekFrom.Data), Check("SEEK_HOLE", (int)SeekFrom.Hole),
        Check("SYNC_FILE_RANGE_WAIT_BEFORE", (int)SyncRangeFlags.WaitBefore), Check("SYNC_FILE_RANGE_WRITE", (int)SyncRangeFlags.Write),
        Check("SYNC_FILE_RANGE_WAIT_AFTER", (int)SyncRangeFlags.WaitAfter),
        Check("POSIX_FADV_SEQUENTIAL", (int)FileAdvice.Sequential), Check("POSIX_FADV_WILLNEED", (int)FileAdvice.WillNeed),
        Check("POSIX_FADV_DONTNEED", (int)FileAdvice.DontNeed), Check("POSIX_FADV_NOREUSE", (int)FileAdvice.NoReuse),
        Check("FS_IMMUTABLE_FL", (int)InodeFlags.Immutable), Check("FS_APPEND_FL", (int)InodeFlags.AppendOnly),
        Check("FS_TOPDIR_FL", (int)InodeFlags.TopDirectory), Check("FS_NOCOW_FL", (int)InodeFlags.NoCopyOnWrite),
        Check("FS_SYNC_FL", (int)InodeFlags.Sync), Check("FS_NODUMP_FL", (int)InodeFlags.NoDump), Check("FS_NOATIME_FL", (int)InodeFlags.NoAccessTime),
        Check("DT_FIFO", (int)FileType.Fifo), Check("DT_CHR", (int)FileType.CharacterDevice), Check("DT_DIR", (int)FileType.Directory),
        Check("DT_BLK", (int)FileType.BlockDevice), Check("DT_REG", (int)FileType.Regular), Check("DT_LNK", (int)FileType.SymbolicLink),
        Check("DT_SOCK", (int)FileType.Socket),
        Check("FICLONE", Constant("CloneFileRequest")), Check("FS_IOC_GETFLAGS", Constant("GetFlagsRequest")),
        Check("FS_IOC_FIEMAP", Constant("FileExtentsRequest")), Check("FIEMAP_FLAG_SYNC", Constant("FirstSync")),
        Check("FIEMAP_EXTENT_LAST", (long)ExtentFlags.Last), Check("FIEMAP_EXTENT_UNKNOWN", (long)ExtentFlags.Unknown),
        Check("FIEMAP_EXTENT_DELALLOC", (long)ExtentFlags.DelayedAllocation), Check("FIEMAP_EXTENT_ENCODED", (long)ExtentFlags.Encoded),
        Check("FIEMAP_EXTENT_DATA_ENCRYPTED", (long)ExtentFlags.Encrypted), Check("FIEMAP_EXTENT_NOT_ALIGNED", (long)ExtentFlags.NotAligned),
        Check("FIEMAP_EXTENT_DATA_INLINE", (long)ExtentFlags.Inline), Check("FIEMAP_EXTENT_DATA_TAIL", (long)ExtentFlags.Tail),
        Check("FIEMAP_EXTENT_UNWRITTEN", (long)ExtentFlags.Unwritten), Check("FIEMAP_EXTENT_SHARED", (long)ExtentFlags.Shared),
        Check("FS_IOC_SETFLAGS", Constant("SetFlagsRequest")), Check("CLONE_FS", Constant("CloneFs")),
        Check("RLIMIT_NOFILE", Constant("OpenFiles")), Check("MADV_DONTNEED", Constant("DontNeedMemory")), Check("F_OFD_GETLK", Constant("OfdGetLock")),
        Check("F_OFD_SETLK", Constant("OfdSetLock")), Check("F_OFD_SETLKW", Constant("OfdSetLockWait")),
        Check("F_WRLCK", 1), Check("F_UNLCK", 2), Check("LOCK_SH", 1), Check("LOCK_EX", 2), Check("LOCK_NB", 4), Check("LOCK_UN", 8),
        Check("UTIME_NOW", TimeSpec.Now.Nanoseconds), Check("UTIME_OMIT", TimeSpec.Omit.Nanoseconds), Check("AT_FDCWD", -100),
    ]);

    [SkippableFact]
    public void Mount_flags_are_those_of_the_headers() => Compile(
    [
        Check("MS_RDONLY", (long)MountFlags.ReadOnly), Check("MS_NOSUID", (long)MountFlags.NoSuid), Check("MS_NODEV", (long)MountFlags.NoDevices),
        Check("MS_NOEXEC", (long)MountFlags.NoExecute), Check("MS_REMOUNT", (long)MountFlags.Remount), Check("MS_BIND", (long)MountFlags.Bind),
        Check("MS_MOVE", (long)MountFlags.Move), Check("MS_REC", (long)MountFlags.Recursive), Check("MS_SILENT", (long)MountFlags.Silent),
        Check("MS_NOATIME", (long)MountFlags.NoAccessTime), Check("MS_UNBINDABLE", (long)MountFlags.Unbindable),
        Check("MS_PRIVATE", (long)MountFlags.Private), Check("MS_SLAVE", (long)MountFlags.Slave), Check("MS_SHARED", (long)MountFlags.Shared),
        Check("MOUNT_ATTR_RDONLY", (long)MountAttributes.ReadOnly), Check("MOUNT_ATTR_NOSUID", (long)MountAttributes.NoSuid),
        Check("MOUNT_ATTR_NODEV", (long)MountAttributes.NoDevices), Check("MOUNT_ATTR_NOEXEC", (long)MountAttributes.NoExecute),
        Check("MOUNT_ATTR_NOATIME", (long)MountAttributes.NoAccessTime), Check("MOUNT_ATTR_IDMAP", (long)MountAttributes.IdMap),
        Check("MOUNT_ATTR_NOSYMFOLLOW", (long)MountAttributes.NoSymlinkFollow),
        Check("OPEN_TREE_CLONE", (int)OpenTreeFlags.Clone), Check("OPEN_TREE_CLOEXEC", (int)OpenFlags.CloseOnExec),
        Check("FSOPEN_CLOEXEC", 1), Check("FSMOUNT_CLOEXEC", 1),
        Check("MOVE_MOUNT_F_EMPTY_PATH", Constant("FromEmptyPath")), Check("MOVE_MOUNT_T_EMPTY_PATH", Constant("ToEmptyPath")),
        Check("FSCONFIG_SET_FLAG", Nested("FsCommand", "SetFlag")), Check("FSCONFIG_SET_STRING", Nested("FsCommand", "SetString")),
        Check("FSCONFIG_SET_FD", Nested("FsCommand", "SetDescriptor")), Check("FSCONFIG_CMD_CREATE", Nested("FsCommand", "Create")),
    ]);

    /// <summary>The C library's header for these clashes with the kernel's, so it is compiled alone.</summary>
    [SkippableFact]
    public void Unmount_flags_are_those_of_the_headers() => Compile(
    [
        Check("MNT_FORCE", (int)UnmountFlags.Force), Check("MNT_DETACH", (int)UnmountFlags.Detach),
        Check("MNT_EXPIRE", (int)UnmountFlags.Expire), Check("UMOUNT_NOFOLLOW", (int)UnmountFlags.NoFollow),
    ], "#include <sys/mount.h>\n#define CHECK(what, value) _Static_assert((what) == (value), #what)");

    [SkippableFact]
    public void System_call_numbers_are_those_of_this_processor() => Compile(
        new[]
        {
            ("openat2", "OpenAt2Number"), ("fchmodat2", "FChmodAt2Number"), ("setxattrat", "SetXattrAtNumber"),
            ("getxattrat", "GetXattrAtNumber"), ("listxattrat", "ListXattrAtNumber"), ("removexattrat", "RemoveXattrAtNumber"),
            ("fsopen", "FsOpenNumber"), ("fsconfig", "FsConfigNumber"), ("fsmount", "FsMountNumber"), ("move_mount", "MoveMountNumber"),
            ("open_tree", "OpenTreeNumber"), ("mount_setattr", "MountSetAttrNumber"), ("getdents64", "GetDents64Number"),
            ("ustat", "UStatNumber"),
        }.Select(call => $"#ifdef SYS_{call.Item1}\n{Check("SYS_" + call.Item1, Constant(call.Item2))}\n#endif"));   // old headers lack the new ones

    [SkippableFact]
    public void File_system_magics_are_those_of_magic_h() => Compile(
        new[]
        {
            ("BTRFS_SUPER_MAGIC", FsMagic.Btrfs), ("ECRYPTFS_SUPER_MAGIC", FsMagic.Ecryptfs), ("EROFS_SUPER_MAGIC_V1", FsMagic.Erofs),
            ("EXT4_SUPER_MAGIC", FsMagic.Ext), ("F2FS_SUPER_MAGIC", FsMagic.F2fs), ("FUSE_SUPER_MAGIC", FsMagic.Fuse),
            ("NFS_SUPER_MAGIC", FsMagic.Nfs), ("OVERLAYFS_SUPER_MAGIC", FsMagic.Overlay), ("PROC_SUPER_MAGIC", FsMagic.Proc),
            ("SQUASHFS_MAGIC", FsMagic.SquashFs), ("TMPFS_MAGIC", FsMagic.Tmpfs), ("XFS_SUPER_MAGIC", FsMagic.Xfs),
        }.Select(magic => $"#ifdef {magic.Item1}\n{Check(magic.Item1, (uint)magic.Item2)}\n#endif"));

    [SkippableFact]
    public void Structures_lie_in_memory_as_the_headers_say() => Compile(
    [
        Check("sizeof(struct statx)", Unsafe.SizeOf<FileStatus>()),
        .. Offsets<FileStatus>("struct statx",
            ("_mask", "stx_mask"), ("_attributes", "stx_attributes"), ("_links", "stx_nlink"), ("_userId", "stx_uid"), ("_groupId", "stx_gid"),
            ("_mode", "stx_mode"), ("_inode", "stx_ino"), ("_size", "stx_size"), ("_blocks", "stx_blocks"),
            ("_attributesMask", "stx_attributes_mask"), ("_access", "stx_atime"), ("_birth", "stx_btime"), ("_change", "stx_ctime"),
            ("_modify", "stx_mtime"), ("_deviceMajor", "stx_rdev_major"), ("_deviceMinor", "stx_rdev_minor"),
            ("_fileSystemMajor", "stx_dev_major"), ("_fileSystemMinor", "stx_dev_minor"), ("_mountId", "stx_mnt_id")),
        Check("sizeof(struct statx_timestamp)", 16), Check("offsetof(struct statx_timestamp, tv_nsec)", 8),
        Check("STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID", FileStatus.Wanted),
        Check("STATX_ATTR_IMMUTABLE", (long)StatusAttributes.Immutable), Check("STATX_ATTR_APPEND", (long)StatusAttributes.Append),
        Check("STATX_ATTR_MOUNT_ROOT", (long)StatusAttributes.MountRoot), Check("STATX_ATTR_AUTOMOUNT", (long)StatusAttributes.Automount),
        Check("STATX_ATTR_VERITY", (long)StatusAttributes.Verity), Check("STATX_ATTR_DAX", (long)StatusAttributes.Dax),
        Check("sizeof(struct statfs)", Unsafe.SizeOf<FileSystemStatus>()),
        .. Offsets<FileSystemStatus>("struct statfs",
            ("_type", "f_type"), ("_blockSize", "f_bsize"), ("_blocks", "f_blocks"), ("_freeBlocks", "f_bfree"),
            ("_availableBlocks", "f_bavail"), ("_inodes", "f_files"), ("_freeInodes", "f_ffree"), ("_nameLength", "f_namelen"),
            ("_fragmentSize", "f_frsize"), ("_flags", "f_flags")),
        Check("sizeof(struct fiemap)", Constant("FileExtentsHeader")), Check("sizeof(struct fiemap_extent)", Unsafe.SizeOf<FileExtent>()),
        .. Offsets<FileExtent>("struct fiemap_extent",
            ("_logical", "fe_logical"), ("_physical", "fe_physical"), ("_length", "fe_length"), ("_flags", "fe_flags")),
        Check("offsetof(struct fiemap, fm_flags)", 16), Check("offsetof(struct fiemap, fm_mapped_extents)", 20), Check("offsetof(struct fiemap, fm_extent_count)", 24),
        Check("sizeof(struct timespec)", Unsafe.SizeOf<TimeSpec>()), Check("offsetof(struct timespec, tv_nsec)", 8),
        Check("offsetof(struct dirent64, d_reclen)", 16), Check("offsetof(struct dirent64, d_type)", 18),
        Check("offsetof(struct dirent64, d_name)", 19),
        .. Layout("RecordLock", "struct flock", ("Type", "l_type"), ("Whence", "l_whence"), ("Start", "l_start"), ("Length", "l_len"), ("Pid", "l_pid")),
        .. Layout("OpenHow", "struct open_how", ("Flags", "flags"), ("Mode", "mode"), ("Resolve", "resolve")),
        .. Layout("MountAttributeChange", "struct mount_attr",
            ("Set", "attr_set"), ("Clear", "attr_clr"), ("Propagation", "propagation"), ("UserNamespace", "userns_fd")),
        Check("sizeof(((struct utsname*)0)->release)", Constant("UnameField")),
        Check("offsetof(struct utsname, release)", 2 * Constant("UnameField")),
        Check("sizeof(struct rlimit)", 16),
    ]);

    [SkippableFact]
    public void Structures_of_the_codec_libraries_lie_in_memory_as_their_headers_say()
    {
        const string define = "#include <stddef.h>\n#define CHECK(what, value) _Static_assert((what) == (value), #what \" is not \" #value)\n";
        Compile(
        [
            "#if __has_include(<lzma.h>)\n#include <lzma.h>",
            Check("sizeof(lzma_stream)", Unsafe.SizeOf<LzmaStream>()),
            .. Offsets<LzmaStream>("lzma_stream",
                ("NextInput", "next_in"), ("AvailableInput", "avail_in"), ("NextOutput", "next_out"), ("AvailableOutput", "avail_out")),
            Check("LZMA_STREAM_END", (int)LzmaResult.StreamEnd), Check("LZMA_MEMLIMIT_ERROR", (int)LzmaResult.MemoryLimit),
            Check("LZMA_DATA_ERROR", (int)LzmaResult.Data), Check("LZMA_BUF_ERROR", (int)LzmaResult.Buffer),
            "#endif\n#if __has_include(<bzlib.h>)\n#include <bzlib.h>",
            Check("sizeof(bz_stream)", Unsafe.SizeOf<Bzip2Stream>()),
            .. Offsets<Bzip2Stream>("bz_stream",
                ("NextInput", "next_in"), ("AvailableInput", "avail_in"), ("NextOutput", "next_out"), ("AvailableOutput", "avail_out")),
            Check("BZ_STREAM_END", (int)Bzip2Result.StreamEnd), Check("BZ_DATA_ERROR", (int)Bzip2Result.Data),
            Check("BZ_DATA_ERROR_MAGIC", (int)Bzip2Result.Magic),
            "#endif\n#if __has_include(<zstd.h>)\n#include <zstd.h>",
            Check("sizeof(ZSTD_inBuffer)", Unsafe.SizeOf<ZstdBuffer>()), Check("sizeof(ZSTD_outBuffer)", Unsafe.SizeOf<ZstdBuffer>()),
            Check("ZSTD_d_windowLogMax", ZstdLibrary.WindowLogMax), Check("ZSTD_c_compressionLevel", ZstdLibrary.CompressionLevel),
            Check("ZSTD_c_checksumFlag", ZstdLibrary.ChecksumFlag), Check("ZSTD_c_nbWorkers", ZstdLibrary.Workers),
            Check("ZSTD_e_flush", (int)EncodeOperation.Flush), Check("ZSTD_e_end", (int)EncodeOperation.End),
            "#endif",
        ], define);
    }

    [SkippableFact]
    public void The_compiler_refuses_a_number_that_is_wrong()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Compile([Check("ENOENT", 3)]));
        Assert.Contains("ENOENT is not 3", error.Message, StringComparison.Ordinal);
    }

    private static string Check(string expression, long value) => $"CHECK({expression}, {unchecked((ulong)value)}ull);";

    private static IEnumerable<string> Offsets<T>(string type, params (string Ours, string Theirs)[] fields) =>
        fields.Select(field => Check($"offsetof({type}, {field.Theirs})", Marshal.OffsetOf<T>(field.Ours)));

    private static IEnumerable<string> Layout(string ours, string theirs, params (string Ours, string Theirs)[] fields)
    {
        var type = typeof(Libc).GetNestedType(ours, BindingFlags.NonPublic)!;
        return fields.Select(field => Check($"offsetof({theirs}, {field.Theirs})", Marshal.OffsetOf(type, field.Ours)))
            .Append(Check($"sizeof({theirs})", Marshal.SizeOf(type)));
    }

    private static long Constant(string name) =>
        Convert.ToInt64(Value(typeof(Libc).GetField(name, BindingFlags.NonPublic | BindingFlags.Static)!));

    private static long Nested(string type, string name) =>
        Convert.ToInt64(Value(typeof(Libc).GetNestedType(type, BindingFlags.NonPublic)!.GetField(name)!));

    private static object Value(FieldInfo field) =>
        field.GetValue(null) switch { nuint value => (ulong)value, nint value => (long)value, var value => value! };

    private static void Compile(IEnumerable<string> checks, string headers = Headers)
    {
        var compiler = Tools.Require("cc");
        using var temp = new TempDirectory();
        var source = new StringBuilder(headers).AppendLine();
        foreach (var check in checks) source.AppendLine(check);
        File.WriteAllText(temp["checks.c"], source.ToString());
        Command.Run(compiler, "-fsyntax-only", temp["checks.c"]);
    }
}
