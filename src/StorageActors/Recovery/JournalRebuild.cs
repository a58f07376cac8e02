using StorageActors.Catalog;
using StorageActors.Drivers;
using StorageActors.Protocol;
using StorageActors.Settings;
using StorageActors.Store;
using StorageActors.Transfers;

namespace StorageActors.Recovery;

/// <summary>
/// The first half of a rebuild: looks at all directories as an engine without a journal would, and moves the journal away. The second half is the start of such an
/// engine. Blocks.
/// </summary>
internal static class JournalRebuild
{
    internal static RebuildReport Run(StorageSettings settings, OpenDriver openDriver, bool dryRun, TimeProvider time)
    {
        if (!File.Exists(StoreLayout.FormatFileOf(settings.Root)))
            throw Refuse(StorageErrorCode.NotFound, $"there is no store in {settings.Root}", settings.Root);
        if (!settings.HasOwnJournal)
            throw Refuse(StorageErrorCode.Unsupported, "the journal is in a database elsewhere; empty its tables there, and the next start fills them from the directories", settings.Root);
        using var transfers = new TransferTable(time);
        using var store = OpenedStore.OpenWithoutJournal(settings, openDriver, transfers, time, socket: null);
        var services = store.Services;
        var before = CatalogState.Empty.Over(store.Additional);
        var listing = new ListStore().Execute(services, CancellationToken.None);
        var found = RecoveryPlan.Questions(before, listing).Execute(services, CancellationToken.None);
        var plan = RecoveryPlan.Make(before, listing, found).Reconcile;
        string? replaced = null;
        if (!dryRun)
        {
            CheckUnmounted(services, plan);
            replaced = JournalDatabase.MoveAway(services.Layout.Journal, time.GetUtcNow());
            StoreFormat.Drop(services.Layout.Root, StoreFormat.PackedSnapshot); // Until the new journal has one, too.
        }

        return new RebuildReport(
            [.. plan.Layers.Select(static layer => layer.Id)], [.. plan.Images.Select(static image => image.Id)], Findings(services.Layout, listing, found, plan), replaced);
    }

    private static void CheckUnmounted(DriverOperations.DriverServices services, CatalogInternal.Reconcile plan)
    {
        if (!services.Driver.Capabilities.HasFlag(DriverCapabilities.KernelMount)) return;
        var mounted = new FindMounted([.. plan.Layers.Select(static layer => layer.Id)], IsSure: true).Execute(services, CancellationToken.None);
        if (mounted.Count == 0) return;
        throw Refuse(
            StorageErrorCode.InUse, $"who holds mounts stands in the journal alone, and these layers are mounted: {Refusals.Some(mounted)}; unmount them first, with umount --all or umount(8)",
            services.Layout.LayerDirectory(mounted[0]));
    }

    private static List<Finding> Findings(StoreLayout layout, StoreListing listing, StoreRecords found, CatalogInternal.Reconcile plan)
    {
        var findings = new List<Finding>();
        foreach (var layer in found.Layers.Where(static layer => layer.Record is null))
            findings.Add(Left(layout.LayerDirectory(layer.Id), $"it has no valid record: {layer.Fault}"));
        foreach (var image in found.Images.Where(static image => image.Record is null))
            findings.Add(Left(layout.ImageDirectory(image.Id), $"it has no valid record: {image.Fault}"));
        findings.AddRange(listing.Foreign.Select(static path => Left(path, "no layer and no image is called so")));
        findings.AddRange(plan.Damages.Select(static damage => new Finding("damaged-layer", damage.Layer.Value, $"it cannot be used: {damage.Reason}", Repaired: false)));
        var layers = plan.Layers.ToDictionary(static layer => layer.Id);
        foreach (var image in plan.Images)
        {
            var missing = image.Layers.Where(layer => !layers.ContainsKey(layer)).ToList();
            if (missing.Count > 0) findings.Add(new Finding("missing-layer", image.Id.Value, $"the image has layers that are not there: {Refusals.Some(missing)}", Repaired: false));
        }

        AddShared(findings, "layers", plan.Layers.SelectMany(static layer => layer.Names.Select(name => (name, layer.Id.Value))));
        AddShared(findings, "images", plan.Images.SelectMany(static image => image.Names.Select(name => (name, image.Id.Value))));
        return findings;
    }

    /// <summary>As a crash between two changes of records leaves them.</summary>
    private static void AddShared(List<Finding> findings, string kind, IEnumerable<(string Name, string Id)> given)
    {
        foreach (var name in given.GroupBy(static one => one.Name, StringComparer.Ordinal).Where(static name => name.Count() > 1))
            findings.Add(new Finding("shared-name", name.Key, $"several {kind} claim the name, and the first gets it: {string.Join(", ", name.Select(static one => one.Id))}", Repaired: true));
    }

    private static Finding Left(string path, string why) => new("orphan-directory", path, $"{why}; it is left alone, and check --repair moves it to the trash", Repaired: false);

    private static StorageException Refuse(StorageErrorCode code, string message, string path) => new(new StorageError(code, "rebuild", message, path));
}
