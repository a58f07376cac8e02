using System.Text.Json;
using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Inputs;

/// <summary>
/// Layers made of real packages: small files, a root file system, large files. Making them takes minutes and a network, so they are kept for the next
/// run on the machine.
/// </summary>
internal sealed class LayerInputs
{
    private const string Packages =
        "react-scripts@5.0.1 typescript@4.9.5 @mui/material@5.15.0 date-fns@2.30.0 rxjs@7.8.1 core-js@3.34.0 aws-sdk@2.1500.0 lodash@4.17.21";

    private const string Cache = "/var/cache/storage-actors-tests/benchmarks";

    /// <summary>More than 30,000 small files: what a JavaScript program depends on.</summary>
    internal LayerInput Small => Make("small", "small files (npm packages)", static tar =>
    {
        RealImages.Needs("npm", "npm");
        var scratch = Directory.CreateDirectory(tar + ".d").FullName;
        Shell.Run($"cd '{scratch}'; npm install --ignore-scripts --no-audit --no-fund --silent {Packages}");
        Shell.Run($"tar --sort=name --numeric-owner --owner=0 --group=0 -C '{scratch}' -cf '{tar}' node_modules");
        Directory.Delete(scratch, recursive: true);
    });

    /// <summary>A Debian root file system.</summary>
    internal LayerInput RootFs => Make("rootfs", "Debian root file system", static tar => Unpack(FirstLayer(RealImages.Debian()), tar));

    /// <summary>Four files of 150 MB, cut out of the .NET SDK.</summary>
    internal LayerInput Large => Make("large", "four files of 150 MB (.NET SDK)", static tar =>
    {
        var scratch = Directory.CreateDirectory(tar + ".d").FullName;
        var sdk = Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        Shell.Run($"(tar --sort=name -C '{sdk}' -cf - . 2>/dev/null || true) | head -c 600M | split -b 150M -d - '{scratch}/sdk.'");
        Shell.Run($"tar --sort=name --numeric-owner --owner=0 --group=0 -C '{scratch}' -cf '{tar}' .");
        Directory.Delete(scratch, recursive: true);
    });

    /// <summary>All three.</summary>
    internal IReadOnlyList<LayerInput> All => [Small, RootFs, Large];

    /// <summary>An image of the three, base first, in every form that peers read.</summary>
    internal ImageInput Image => ImageInput.Make(Cache, "image", [RootFs, Small, Large]);

    /// <summary>An image of the root file system alone.</summary>
    internal ImageInput RootFsImage => ImageInput.Make(Cache, "image-rootfs", [RootFs]);

    private static LayerInput Make(string word, string name, Action<string> make)
    {
        Directory.CreateDirectory(Cache);
        var tar = Path.Combine(Cache, word + ".tar");
        var input = new LayerInput(name, tar, tar + ".gz", tar + ".zst");
        if (!File.Exists(tar))
        {
            Console.Error.WriteLine($"making {word}.tar, once for this machine");
            make(tar + ".new");
            File.Move(tar + ".new", tar);
        }

        if (!File.Exists(input.Gzip)) Shell.Run($"gzip -6 -n <'{tar}' >'{tar}.new' && mv '{tar}.new' '{input.Gzip}'");
        if (!File.Exists(input.Zstd)) Shell.Run($"zstd -q -3 <'{tar}' >'{tar}.new' && mv '{tar}.new' '{input.Zstd}'");
        Shell.Run($"cat '{tar}' '{input.Gzip}' '{input.Zstd}' >/dev/null");   // into the page cache
        return input;
    }

    private static void Unpack(string blob, string tar) => Shell.Run($"gzip -dc <'{blob}' >'{tar}'");

    private static string FirstLayer(string layout)
    {
        var manifest = Blob(layout, JsonDocument.Parse(File.ReadAllText($"{layout}/index.json")).RootElement.GetProperty("manifests")[0]);
        return Blob(layout, JsonDocument.Parse(File.ReadAllText(manifest)).RootElement.GetProperty("layers")[0]);
    }

    private static string Blob(string layout, JsonElement descriptor) =>
        $"{layout}/blobs/{descriptor.GetProperty("digest").GetString()!.Replace(':', '/')}";
}
