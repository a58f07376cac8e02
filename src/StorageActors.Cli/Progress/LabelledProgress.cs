using StorageActors.Images;

namespace StorageActors.Cli.Progress;

/// <summary>Tells a board which layer of an image it is that moves.</summary>
internal sealed class LabelledProgress(ProgressBoard board) : IProgress<ImportProgress>
{
    public void Report(ImportProgress value)
    {
        if (board.Observer is not { } observer) return;
        board.Label(value.Staging.Ticket, $"{value.Layer + 1}/{value.Layers} {value.DiffId.Hex[..12]}");
        observer.Report(value.Staging);
    }
}
