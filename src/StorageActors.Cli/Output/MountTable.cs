using StorageActors.Protocol;

namespace StorageActors.Cli.Output;

/// <summary>Mounts and who holds them, a row for each lease.</summary>
internal static class MountTable
{
    internal static Table Of(IEnumerable<MountRecord> mounts)
    {
        var now = TimeProvider.System.GetUtcNow();
        var table = new Table(
            ("LAYER", ColumnKind.Text), ("MODE", ColumnKind.Text), ("LEASE", ColumnKind.Elastic), ("OWNER", ColumnKind.Elastic),
            ("SINCE", ColumnKind.Text), ("UNTIL", ColumnKind.Text), ("PATH", ColumnKind.Elastic));
        foreach (var mount in mounts)
        {
            var mode = mount.Mode == MountMode.ReadWrite ? "rw" : "ro";
            var path = mount.Path.Length > 0 ? mount.Path : "(mounted by its holder)";
            if (mount.Leases.Count == 0) table.Add(Human.Short(mount.Layer.Value), mode, "-", "-", "-", "-", path);
            foreach (var lease in mount.Leases)
            {
                table.Add(Human.Short(mount.Layer.Value), mode, lease.Lease.Value, lease.Owner, Human.Age(lease.Since, now), Human.Time(lease.Until), path);
            }
        }

        return table;
    }
}
