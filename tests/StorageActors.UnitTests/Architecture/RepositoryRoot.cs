namespace StorageActors.UnitTests.Architecture;

/// <summary>Finds the sources that the running tests were built from.</summary>
internal static class RepositoryRoot
{
    internal static string Path { get; } = Find();

    internal static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(System.IO.Path.Combine(Path, folder), pattern, SearchOption.AllDirectories)
            .Where(static file => !file.Contains("/bin/", StringComparison.Ordinal) && !file.Contains("/obj/", StringComparison.Ordinal));

    internal static string Relative(string file) => System.IO.Path.GetRelativePath(Path, file);

    private static string Find()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(System.IO.Path.Combine(directory.FullName, "StorageActors.sln"))) directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("these tests run from inside the repository");
    }
}
