using System.Reflection;
using StorageActors.Client;
using StorageActors.Containerd.Serving;
using StorageActors.Docker.GraphDriver;
using StorageActors.Grpc.Serving;
using StorageActors.Images;
using StorageActors.Linux;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Architecture;

/// <summary>What others compile against changes on purpose alone: the approved text changes with it.</summary>
public sealed class PublicApiTests
{
    /// <summary>Set to any value, it has the approved texts written anew.</summary>
    private const string Approve = "STORAGE_ACTORS_APPROVE";

    public static TheoryData<string> Assemblies => [.. Shown.Keys];

    private static Dictionary<string, Assembly> Shown { get; } = new(StringComparer.Ordinal)
    {
        ["StorageActors.Linux"] = typeof(LinuxException).Assembly,
        ["StorageActors.Protocol"] = typeof(LayerId).Assembly,
        ["StorageActors"] = typeof(StorageClient).Assembly,
        ["StorageActors.Images"] = typeof(ImageImporter).Assembly,
        ["StorageActors.Grpc"] = typeof(GrpcEndpoint).Assembly,
        ["StorageActors.Containerd"] = typeof(ContainerdDoor).Assembly,
        ["StorageActors.Docker"] = typeof(GraphDriverDoor).Assembly,
    };

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void The_public_surface_is_the_approved_one(string assembly)
    {
        var file = Path.Combine(Root(), "src", assembly, "PublicApi.approved.txt");
        var actual = PublicApi.Of(Shown[assembly]);
        if (Environment.GetEnvironmentVariable(Approve) is not null) File.WriteAllText(file, actual);
        Assert.True(File.Exists(file), $"{file} is missing; run the tests once with {Approve}=1");
        Assert.Equal(File.ReadAllText(file), actual);
    }

    private static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "StorageActors.sln"))) directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("these tests run from inside the repository");
    }
}
