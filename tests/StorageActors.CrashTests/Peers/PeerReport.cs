using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;
using StorageActors.CrashTests.Kills;
using StorageActors.Protocol;
using StorageActors.TestSupport;

namespace StorageActors.CrashTests.Peers;

/// <summary>What deaths during the import of a layer leave, for the programs that are compared.</summary>
internal sealed class Tally
{
    internal int Deaths { get; set; }

    internal int Completed { get; set; }

    /// <summary>Imports that failed although nobody killed them.</summary>
    internal int Refused { get; set; }

    /// <summary>Layers that were answered and are not there.</summary>
    internal int Lost { get; set; }

    /// <summary>Layers that are listed, but do not give back what was imported.</summary>
    internal int Unusable { get; set; }

    /// <summary>Directories, links and files that belong to no layer.</summary>
    internal int Leftovers { get; set; }
}

/// <summary>A program that imports layers. Disposal takes away what it mounts for itself.</summary>
internal interface IImporter : IDisposable
{
    string Name { get; }

    /// <summary>The command that imports a tar under an id.</summary>
    ProcessStartInfo Import(string tar, string id);

    /// <summary>Looks at the store, after whatever the program does by itself when it is run next; returns the layers that give back the digest, those that do not, and leftovers.</summary>
    Task<(IReadOnlyList<string> Whole, IReadOnlyList<string> Unusable, IReadOnlyList<string> Leftovers)> LookAsync(Digest expected);
}

/// <summary>The same deaths for this store and for Debian's <c>containers-storage</c>: SIGKILL at a random time while one layer of some thousand files is imported.</summary>
internal static class PeerReport
{
    private const int Files = 3000;
    private const int Killed = 128 + 9;

    internal static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var (deaths, seed) = (KillReport.Number(arguments, "--deaths", 100), KillReport.Number(arguments, "--seed", 1));
        using var directory = new TempDirectory();
        var tar = directory["layer.tar"];
        var digest = MakeTar(tar);
        var violations = 0;
        foreach (var make in (Func<IImporter>[])[() => new OurImporter(directory["ours"]), () => new ContainersStorage(directory.Path)])
        {
            using var importer = make();
            var tally = await KillAsync(importer, tar, digest, deaths, seed).ConfigureAwait(false);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{importer.Name}: {tally.Deaths} deaths, {tally.Completed} imports that ended before, {tally.Refused} that failed by themselves; answered layers lost {tally.Lost}, incomplete or unusable layers {tally.Unusable}, leftovers {tally.Leftovers}"));
            if (importer is OurImporter) violations = tally.Lost + tally.Unusable + tally.Leftovers;
        }

        return violations == 0 ? 0 : 1;
    }

    private static async Task<Tally> KillAsync(IImporter importer, string tar, Digest digest, int deaths, int seed)
    {
        var (tally, random, seen) = (new Tally(), new Random(seed), new HashSet<string>(StringComparer.Ordinal));
        var whole = await TimeAsync(importer, tar).ConfigureAwait(false);
        for (var number = 1; tally.Deaths < deaths; number++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"layer{number}");
            using var process = Process.Start(importer.Import(tar, id))!;
            await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(whole * random.NextDouble())).ConfigureAwait(false);
            if (!process.HasExited) process.Kill(entireProcessTree: true); // The peer extracts in a process of its own.
            await process.WaitForExitAsync().ConfigureAwait(false);
            if (process.ExitCode == Killed) tally.Deaths++;
            else if (process.ExitCode == 0) tally.Completed++;
            else if (++tally.Refused > deaths) throw new InvalidOperationException($"{importer.Name}: hardly any import works");

            var (sound, unusable, leftovers) = await importer.LookAsync(digest).ConfigureAwait(false);
            if (process.ExitCode == 0 && !sound.Contains(id, StringComparer.Ordinal)) tally.Lost++;
            tally.Unusable += unusable.Count(one => seen.Add(one));
            tally.Leftovers += leftovers.Count(one => seen.Add(one));
        }

        foreach (var one in seen.Take(12)) Console.WriteLine($"  {importer.Name}: {one}");
        return tally;
    }

    /// <summary>How long an import takes that nobody kills; deaths come within that time.</summary>
    private static async Task<TimeSpan> TimeAsync(IImporter importer, string tar)
    {
        var longest = TimeSpan.Zero;
        for (var round = 0; round < 3; round++)
        {
            var started = TimeProvider.System.GetTimestamp();
            using var process = Process.Start(importer.Import(tar, string.Create(CultureInfo.InvariantCulture, $"whole{round}")))!;
            await process.WaitForExitAsync().ConfigureAwait(false);
            if (process.ExitCode != 0) throw new InvalidOperationException($"{importer.Name}: the import failed with {process.ExitCode}");
            var took = TimeProvider.System.GetElapsedTime(started);
            if (took > longest) longest = took;
        }

        return longest;
    }

    private static Digest MakeTar(string path)
    {
        var random = new Random(7);
        using (var file = File.Create(path))
        using (var tar = new TarWriter(file, TarEntryFormat.Ustar))
        {
            for (var number = 0; number < Files; number++)
            {
                var content = new byte[random.Next(12_000)];
                random.NextBytes(content);
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, string.Create(CultureInfo.InvariantCulture, $"d{number % 40}/f{number}"))
                {
                    DataStream = new MemoryStream(content), ModificationTime = DateTimeOffset.UnixEpoch,
                });
            }
        }

        return Digest.Of(File.ReadAllBytes(path));
    }
}
