using StorageActors.Protocol;

namespace StorageActors.Cli;

/// <summary>What a process's end says; scripts rely on it.</summary>
internal static class ExitCode
{
    internal const int Done = 0;
    internal const int Failed = 1;
    internal const int WrongUsage = 2;
    internal const int NotFound = 3;
    internal const int InUse = 4;
    internal const int BadInput = 5;
    internal const int Damaged = 6;
    internal const int HungUp = 129;
    internal const int Interrupted = 130;
    internal const int Terminated = 143;

    /// <summary>The exit code for a refusal.</summary>
    internal static int Of(StorageErrorCode code) => code switch
    {
        StorageErrorCode.NotFound => NotFound,
        StorageErrorCode.AlreadyExists or StorageErrorCode.InUse => InUse,
        StorageErrorCode.InvalidArgument => WrongUsage,
        StorageErrorCode.BadInput or StorageErrorCode.LimitExceeded or StorageErrorCode.DigestMismatch => BadInput,
        StorageErrorCode.Damaged or StorageErrorCode.UnknownFormat => Damaged,
        _ => Failed,
    };
}
