using System.Diagnostics;
using System.Globalization;
using StorageActors.DriverOperations;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EngineTests.DriverOperations;

public sealed class MountHoldersTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    [Fact]
    public void An_open_file_and_a_working_directory_are_found_with_their_process()
    {
        Directory.CreateDirectory(_directory["mount"]);
        using var open = File.Create(_directory["mount/file"]);
        using var process = Process.Start(new ProcessStartInfo("sleep", "60") { WorkingDirectory = _directory["mount"], UseShellExecute = false })!;
        try
        {
            var lines = MountHolders.Find(_directory["mount"]);
            Assert.Contains(lines, line => line.StartsWith(Pid(Environment.ProcessId), StringComparison.Ordinal) && line.EndsWith($"open file {_directory["mount/file"]}", StringComparison.Ordinal));
            Assert.Contains($"{Pid(process.Id)}sleep: working directory", lines);
        }
        finally
        {
            process.Kill();
            process.WaitForExit();
        }
    }

    [Fact]
    public void A_directory_whose_name_only_begins_alike_is_another_one()
    {
        Directory.CreateDirectory(_directory["mount"]);
        Directory.CreateDirectory(_directory["mount2"]);
        using var open = File.Create(_directory["mount2/file"]);
        Assert.Empty(MountHolders.Find(_directory["mount"]));
    }

    public void Dispose() => _directory.Dispose();

    private static string Pid(int pid) => pid.ToString(CultureInfo.InvariantCulture) + " ";
}
