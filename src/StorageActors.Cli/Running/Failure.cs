using System.Text.Json;
using StorageActors.Cli.Output;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Cli.Running;

/// <summary>Any exception as the refusal that it amounts to, and as the one line that people read.</summary>
internal static class Failure
{
    /// <summary>The refusal.</summary>
    internal static StorageError Of(Exception exception) => exception switch
    {
        StorageException refused => refused.Error,
        LinuxException e => new StorageError(StorageErrorCode.Io, e.Operation, e.Message + Advice(e), e.Path, e.Errno.ToString()),
        OperationCanceledException => new StorageError(StorageErrorCode.Cancelled, "wait", "interrupted; nothing is left behind"),
        FormatException e => new StorageError(StorageErrorCode.InvalidArgument, "read", e.Message),
        FileNotFoundException e => FileError(e, "ENOENT", e.FileName),
        DirectoryNotFoundException e => FileError(e, "ENOENT", null),
        UnauthorizedAccessException e => FileError(e, "EACCES", null),
        IOException e => FileError(e, ErrnoOf(e), null),
        JsonException e => new StorageError(StorageErrorCode.BadInput, "read", e.Message),
        AggregateException { InnerExceptions.Count: 1 } e => Of(e.InnerExceptions[0]),
        _ => new StorageError(StorageErrorCode.Internal, "run", $"{exception.GetType().Name}: {exception.Message}. This is a defect: run it again with --log-level debug and report what it prints."),
    };

    /// <summary>What is printed: <c>storage-actors: VERB: what failed: why (ERRNO). What to do.</c></summary>
    internal static string Line(string verb, StorageError error)
    {
        var message = WithErrno(OneLine(error.Message), error.Errno);
        return $"storage-actors: {verb}: {message}{(message[^1] is '.' or '!' or '?' ? "" : ".")}";
    }

    private static StorageError FileError(Exception exception, string? errno, string? path) =>
        new(StorageErrorCode.Io, "open", exception.Message, path, errno);

    private static string? ErrnoOf(IOException exception) =>
        Enum.IsDefined((Errno)exception.HResult) && exception.HResult > 0 ? ((Errno)exception.HResult).ToString() : null;

    private static string Advice(LinuxException exception) => exception.Errno switch
    {
        Errno.EACCES or Errno.EPERM => ". Run it as root, or use a --root of your own.",
        // The store's own space is no help to whoever reads the output.
        Errno.ENOSPC or Errno.EDQUOT when exception.Detail == StandardOutput.Detail => ". Free space where it goes, and repeat.",
        Errno.ENOSPC or Errno.EDQUOT => ". Free space (storage-actors gc), and repeat.",
        _ => "",
    };

    /// <summary>
    /// The errno stands in parentheses after the words for it: at the end of the first sentence, unless the message names it by itself,
    /// which messages from system calls do the other way round.
    /// </summary>
    private static string WithErrno(string message, string? errno)
    {
        if (errno is null) return message;
        var named = message.IndexOf(errno + " (", StringComparison.Ordinal);
        var close = named < 0 ? -1 : message.IndexOf(')', named);
        if (close > 0) return $"{message[..named]}{message[(named + errno.Length + 2)..close]} ({errno}){message[(close + 1)..]}";
        if (message.Contains(errno, StringComparison.Ordinal)) return message;
        var end = message.IndexOf(". ", StringComparison.Ordinal);
        if (end < 0) end = message.EndsWith('.') ? message.Length - 1 : message.Length;
        return $"{message[..end]} ({errno}){message[end..]}";
    }

    private static string OneLine(string message) =>
        message.Length == 0 ? "failed" : string.Join(' ', message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
