namespace StorageActors.FaultTests.Seccomp;

/// <summary>By what a call says which file it is about.</summary>
internal enum Subject
{
    /// <summary>A descriptor.</summary>
    Descriptor,

    /// <summary>A directory's descriptor and a name.</summary>
    Name,

    /// <summary>A path alone.</summary>
    Path,

    /// <summary>Nothing of the kind: it makes or configures a mount.</summary>
    Mount,
}

/// <summary>What a fault may do to a call, beside failing it.</summary>
[Flags]
internal enum Traits
{
    None = 0,

    /// <summary>Gives a new descriptor.</summary>
    Opens = 1,

    /// <summary>Moves bytes, and may move fewer than asked for.</summary>
    Transfers = 2,

    /// <summary>Takes space or an inode on the disk.</summary>
    TakesSpace = 4,

    /// <summary>Takes space when its flags say that the file is to be made.</summary>
    MayCreate = 8,

    /// <summary>A signal may end it (EINTR), as its manual page says, or the source of the calls that make mounts. What only looks at or changes names never waits so.</summary>
    MayBeInterrupted = 16,

    /// <summary>Makes, renames or removes a name, or changes what is mounted: what a process has done when it dies.</summary>
    ChangesNames = 32,
}

/// <summary>A system call on x86-64 that has to do with files: which argument says what it is about.</summary>
internal sealed record SystemCall(int Number, string Name, Subject Subject, int Argument, Traits Traits)
{
    private static readonly SystemCall[] Table =
    [
        new(0, "read", Subject.Descriptor, 0, Traits.Transfers | Traits.MayBeInterrupted), new(1, "write", Subject.Descriptor, 0, Traits.Transfers | Traits.TakesSpace | Traits.MayBeInterrupted),
        new(2, "open", Subject.Path, 0, Traits.Opens | Traits.MayCreate | Traits.MayBeInterrupted), new(4, "stat", Subject.Path, 0, Traits.None),
        new(5, "fstat", Subject.Descriptor, 0, Traits.None), new(6, "lstat", Subject.Path, 0, Traits.None),
        new(8, "lseek", Subject.Descriptor, 0, Traits.None), new(16, "ioctl", Subject.Descriptor, 0, Traits.None),
        new(17, "pread64", Subject.Descriptor, 0, Traits.Transfers | Traits.MayBeInterrupted), new(18, "pwrite64", Subject.Descriptor, 0, Traits.Transfers | Traits.TakesSpace | Traits.MayBeInterrupted),
        new(19, "readv", Subject.Descriptor, 0, Traits.MayBeInterrupted), new(20, "writev", Subject.Descriptor, 0, Traits.TakesSpace | Traits.MayBeInterrupted),
        new(21, "access", Subject.Path, 0, Traits.None), new(40, "sendfile", Subject.Descriptor, 0, Traits.TakesSpace | Traits.MayBeInterrupted),
        new(72, "fcntl", Subject.Descriptor, 0, Traits.MayBeInterrupted), new(73, "flock", Subject.Descriptor, 0, Traits.MayBeInterrupted),
        new(74, "fsync", Subject.Descriptor, 0, Traits.MayBeInterrupted), new(75, "fdatasync", Subject.Descriptor, 0, Traits.MayBeInterrupted),
        new(76, "truncate", Subject.Path, 0, Traits.MayBeInterrupted), new(77, "ftruncate", Subject.Descriptor, 0, Traits.MayBeInterrupted),
        new(82, "rename", Subject.Path, 0, Traits.ChangesNames), new(83, "mkdir", Subject.Path, 0, Traits.TakesSpace | Traits.ChangesNames),
        new(84, "rmdir", Subject.Path, 0, Traits.ChangesNames), new(85, "creat", Subject.Path, 0, Traits.Opens | Traits.TakesSpace | Traits.MayBeInterrupted | Traits.ChangesNames),
        new(86, "link", Subject.Path, 0, Traits.TakesSpace | Traits.ChangesNames), new(87, "unlink", Subject.Path, 0, Traits.ChangesNames),
        new(88, "symlink", Subject.Path, 1, Traits.TakesSpace | Traits.ChangesNames), new(89, "readlink", Subject.Path, 0, Traits.None),
        new(90, "chmod", Subject.Path, 0, Traits.None), new(91, "fchmod", Subject.Descriptor, 0, Traits.None),
        new(92, "chown", Subject.Path, 0, Traits.None), new(93, "fchown", Subject.Descriptor, 0, Traits.None),
        new(94, "lchown", Subject.Path, 0, Traits.None), new(137, "statfs", Subject.Path, 0, Traits.MayBeInterrupted),
        new(138, "fstatfs", Subject.Descriptor, 0, Traits.MayBeInterrupted), new(165, "mount", Subject.Mount, 0, Traits.ChangesNames),
        new(166, "umount2", Subject.Mount, 0, Traits.ChangesNames), new(188, "setxattr", Subject.Path, 0, Traits.TakesSpace),
        new(189, "lsetxattr", Subject.Path, 0, Traits.TakesSpace), new(190, "fsetxattr", Subject.Descriptor, 0, Traits.TakesSpace),
        new(191, "getxattr", Subject.Path, 0, Traits.None), new(192, "lgetxattr", Subject.Path, 0, Traits.None),
        new(193, "fgetxattr", Subject.Descriptor, 0, Traits.None), new(194, "listxattr", Subject.Path, 0, Traits.None),
        new(195, "llistxattr", Subject.Path, 0, Traits.None), new(196, "flistxattr", Subject.Descriptor, 0, Traits.None),
        new(197, "removexattr", Subject.Path, 0, Traits.None), new(198, "lremovexattr", Subject.Path, 0, Traits.None),
        new(199, "fremovexattr", Subject.Descriptor, 0, Traits.None), new(217, "getdents64", Subject.Descriptor, 0, Traits.None),
        new(257, "openat", Subject.Name, 0, Traits.Opens | Traits.MayCreate | Traits.MayBeInterrupted), new(258, "mkdirat", Subject.Name, 0, Traits.TakesSpace | Traits.ChangesNames),
        new(259, "mknodat", Subject.Name, 0, Traits.TakesSpace | Traits.ChangesNames), new(260, "fchownat", Subject.Name, 0, Traits.None),
        new(262, "newfstatat", Subject.Name, 0, Traits.None), new(263, "unlinkat", Subject.Name, 0, Traits.ChangesNames),
        new(264, "renameat", Subject.Name, 0, Traits.ChangesNames), new(265, "linkat", Subject.Name, 0, Traits.TakesSpace | Traits.ChangesNames),
        new(266, "symlinkat", Subject.Name, 1, Traits.TakesSpace | Traits.ChangesNames), new(267, "readlinkat", Subject.Name, 0, Traits.None),
        new(268, "fchmodat", Subject.Name, 0, Traits.None), new(269, "faccessat", Subject.Name, 0, Traits.None),
        new(280, "utimensat", Subject.Name, 0, Traits.None), new(285, "fallocate", Subject.Descriptor, 0, Traits.TakesSpace | Traits.MayBeInterrupted),
        new(306, "syncfs", Subject.Descriptor, 0, Traits.None), new(316, "renameat2", Subject.Name, 0, Traits.ChangesNames),
        new(326, "copy_file_range", Subject.Descriptor, 2, Traits.Transfers | Traits.TakesSpace | Traits.MayBeInterrupted), new(332, "statx", Subject.Name, 0, Traits.None),
        new(428, "open_tree", Subject.Name, 0, Traits.Opens | Traits.MayBeInterrupted), new(429, "move_mount", Subject.Mount, 0, Traits.ChangesNames),
        new(430, "fsopen", Subject.Mount, 0, Traits.Opens | Traits.MayBeInterrupted), new(431, "fsconfig", Subject.Mount, 0, Traits.MayBeInterrupted),
        new(432, "fsmount", Subject.Mount, 0, Traits.Opens | Traits.MayBeInterrupted), new(437, "openat2", Subject.Name, 0, Traits.Opens | Traits.MayCreate | Traits.MayBeInterrupted),
        new(439, "faccessat2", Subject.Name, 0, Traits.None), new(442, "mount_setattr", Subject.Name, 0, Traits.ChangesNames),
        new(452, "fchmodat2", Subject.Name, 0, Traits.None), new(463, "setxattrat", Subject.Name, 0, Traits.TakesSpace),
        new(464, "getxattrat", Subject.Name, 0, Traits.None), new(465, "listxattrat", Subject.Name, 0, Traits.None),
        new(466, "removexattrat", Subject.Name, 0, Traits.None),
    ];

    private static readonly Dictionary<int, SystemCall> ByNumber = Table.ToDictionary(static call => call.Number);

    /// <summary>All but close, whose answer nobody may act on, and calls that only pass the time.</summary>
    internal static IReadOnlyList<SystemCall> All => Table;

    internal static SystemCall Of(int number) => ByNumber[number];
}
