namespace StorageActors.Benchmarks.Jobs;

/// <summary>Our command as a user starts it, where it was built in Release.</summary>
internal static class OwnCommand
{
    internal static string? Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (!File.Exists(Path.Combine(directory.FullName, "StorageActors.sln"))) continue;
            var command = Path.Combine(directory.FullName, "src/StorageActors.Cli/bin/Release/net10.0/storage-actors");
            return File.Exists(command) ? command : null;
        }

        return null;
    }
}
