using System.Runtime.InteropServices;
using System.Text;

namespace StorageActors.Linux;

/// <summary>
/// A system call that failed: which one, on which path or paths, with which flags and errno, and the kernel's own words
/// when it gave any.
/// </summary>
public sealed class LinuxException : IOException
{
    /// <summary>Names the call that failed; everything that is known about it ends up in <see cref="Exception.Message"/>.</summary>
    public LinuxException(
        string operation, string path, Errno errno, string? secondPath = null, string? flags = null, string? detail = null)
        : base(Compose(operation, path, errno, secondPath, flags, detail))
    {
        (Operation, Path, Errno, SecondPath, Flags, Detail) = (operation, path, errno, secondPath, flags, detail);
        HResult = (int)errno;
    }

    /// <summary>The system call, by its manual page name.</summary>
    public string Operation { get; }

    /// <summary>The path it worked on; bytes that are not text are escaped as <c>\xNN</c>.</summary>
    public string Path { get; }

    /// <summary>The other path of a call that takes two: the new name of a rename or link.</summary>
    public string? SecondPath { get; }

    /// <summary>The flags that matter for the failure, in the kernel's spelling.</summary>
    public string? Flags { get; }

    /// <summary>The error number.</summary>
    public Errno Errno { get; }

    /// <summary>The kernel's own explanation (a mount's log) or ours, when the errno alone says too little.</summary>
    public string? Detail { get; }

    /// <summary>The C library's text for an error number.</summary>
    public static string Describe(Errno errno) => Marshal.GetPInvokeErrorMessage((int)errno);

    private static string Compose(string operation, string path, Errno errno, string? secondPath, string? flags, string? detail)
    {
        var text = new StringBuilder(operation).Append(" \"").Append(path).Append('"');
        if (secondPath is not null) text.Append(" -> \"").Append(secondPath).Append('"');
        if (!string.IsNullOrEmpty(flags)) text.Append(" (").Append(flags).Append(')');
        text.Append(": ").Append(errno).Append(" (").Append(Describe(errno)).Append(')');
        if (!string.IsNullOrEmpty(detail)) text.Append(": ").Append(detail);
        return text.ToString();
    }
}
