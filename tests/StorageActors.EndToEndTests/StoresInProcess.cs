namespace StorageActors.EndToEndTests;

/// <summary>Engines that live in the process of the tests, beside others that start programs all the time and keep its processors busy.</summary>
internal static class StoresInProcess
{
    /// <summary>
    /// Settings for such an engine: a program that is being started has all descriptors of this process for a moment, so that a mount may be busy without anybody's
    /// doing; and what was answered is journaled at the end, however long the disk takes.
    /// </summary>
    internal const string Patience = """
        storage-actors.retry.times = 200
        storage-actors.retry.pause = 100ms
        storage-actors.drain-timeout = 120s
        akka.logger-startup-timeout = 120s
        """;

    /// <summary>What is still staged; what was cut off without an answer gets the time to put its things away.</summary>
    internal static async Task<IReadOnlyList<string>> StagedAsync(string root)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (true)
        {
            var staged = Directory.EnumerateFileSystemEntries(Path.Combine(root, "staging")).ToList();
            if (staged.Count == 0 || late.IsCancellationRequested) return staged;
            await Task.Delay(10);
        }
    }
}
