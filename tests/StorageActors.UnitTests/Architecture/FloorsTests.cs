using System.Xml.Linq;
using Xunit;

namespace StorageActors.UnitTests.Architecture;

/// <summary>A project may use only what stands below it.</summary>
public sealed class FloorsTests
{
    private static readonly Dictionary<string, int> Floors = new(StringComparer.Ordinal)
    {
        ["StorageActors.Linux"] = 0,
        ["StorageActors.Protocol"] = 0,
        ["StorageActors.Archive"] = 1,
        ["StorageActors.Drivers"] = 2,
        ["StorageActors"] = 3,
        ["StorageActors.Grpc"] = 3,
        ["StorageActors.Containerd"] = 4,
        ["StorageActors.Docker"] = 4,
        ["StorageActors.Images"] = 4,
        ["StorageActors.Hosting"] = 4,
        ["StorageActors.Node"] = 5,
        ["StorageActors.Cli"] = 6,
    };

    [Fact]
    public void Every_project_of_the_house_has_a_floor() =>
        Assert.Equal(Floors.Keys.Order(StringComparer.Ordinal), Projects().Select(static p => p.Name).Order(StringComparer.Ordinal));

    [Fact]
    public void Every_arrow_points_down()
    {
        var wrong =
            from project in Projects()
            from used in project.Uses
            where !Floors.TryGetValue(used, out var floor) || floor >= Floors[project.Name]
            select $"{project.Name} -> {used}";
        Assert.Empty(wrong);
    }

    [Fact]
    public void Native_calls_and_unsafe_code_stand_in_the_linux_floor_alone()
    {
        string[] words = ["LibraryImport", "DllImport", "unsafe ", "AllowUnsafeBlocks"];
        var wrong =
            from file in RepositoryRoot.Files("src", "*.cs").Concat(RepositoryRoot.Files("src", "*.csproj"))
            where !RepositoryRoot.Relative(file).StartsWith("src/StorageActors.Linux/", StringComparison.Ordinal)
            let text = File.ReadAllText(file)
            from word in words
            where text.Contains(word, StringComparison.Ordinal)
            select $"{RepositoryRoot.Relative(file)}: {word}";
        Assert.Empty(wrong);
    }

    [Fact]
    public void No_source_file_has_room_for_a_second_subject()
    {
        var wrong =
            from file in RepositoryRoot.Files("src", "*.cs").Concat(RepositoryRoot.Files("tests", "*.cs"))
            let lines = File.ReadLines(file).Count()
            where lines > 400
            select $"{RepositoryRoot.Relative(file)}: {lines} lines";
        Assert.Empty(wrong);
    }

    private static IEnumerable<(string Name, string[] Uses)> Projects() =>
        from file in RepositoryRoot.Files("src", "*.csproj")
        where !RepositoryRoot.Relative(file).StartsWith("src/AkkaCompat/", StringComparison.Ordinal)
        let uses = XDocument.Load(file).Descendants("ProjectReference").Select(static r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value))
        select (Path.GetFileNameWithoutExtension(file), uses.ToArray());
}
