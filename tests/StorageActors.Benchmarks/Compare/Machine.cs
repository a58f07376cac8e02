using System.Globalization;
using System.Runtime.InteropServices;

namespace StorageActors.Benchmarks.Compare;

/// <summary>What the numbers were taken on.</summary>
internal static class Machine
{
    internal static string Describe()
    {
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30;
        var model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(static line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} processors ({model ?? "unknown"}), {memory} GB, Linux {Environment.OSVersion.Version}, {RuntimeInformation.FrameworkDescription}");
    }
}
