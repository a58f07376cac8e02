using System.Text;
using StorageActors.Drivers.Mounting;
using StorageActors.Linux;

namespace StorageActors.Drivers.Aufs;

/// <summary>
/// The calls that build an aufs mount, as few as there can be: the first fills a page of options with branches, each further one is a remount that appends
/// another page of them. aufs reads options from left to right, so the layers' order is kept inside a call and from one to the next. Pure.
/// </summary>
internal static class BranchPlan
{
    /// <summary>Room in the first call for the options that follow the branches (A10).</summary>
    internal const int Reserve = 54;

    /// <summary>
    /// Options of one call, a branch being one of them: the module keeps them in a page of 48 bytes each and refuses more with E2BIG. Only short names
    /// get there before the page of text is full.
    /// </summary>
    internal const int MaximumOptions = 80;

    private const string Dirperm1 = ",dirperm1";

    /// <summary>The calls, in order.</summary>
    /// <param name="stack">What to mount.</param>
    /// <param name="pageSize">The machine's page.</param>
    /// <exception cref="BranchPlanException">One branch alone is too long for a call.</exception>
    internal static IReadOnlyList<MountCall> Make(BranchStack stack, int pageSize)
    {
        var calls = new List<MountCall>();
        var next = 0;
        calls.Add(First(stack, pageSize, ref next));
        while (next < stack.Ancestors.Count) calls.Add(Append(stack, pageSize, ref next));
        return calls;
    }

    /// <summary>The label as an option, with the comma in front; empty for none.</summary>
    internal static string LabelOption(string label) => label.Length == 0 ? "" : $",context=\"{label}\"";

    private static MountCall First(BranchStack stack, int pageSize, ref int next)
    {
        var label = LabelOption(stack.Label);
        var options = $",dio,xino={stack.Xino}";
        var room = pageSize - Math.Max(Reserve, MountCall.SizeOf(options) + 1) - MountCall.SizeOf(label) - (stack.Dirperm1 ? Dirperm1.Length : 0);
        var data = new StringBuilder("br:").Append(stack.PathOf(stack.Layer)).Append(stack.Writable ? "=rw" : "=ro+wh");
        var size = MountCall.SizeOf(data.ToString());
        if (size > room) throw new BranchPlanException(stack.PathOf(stack.Layer), pageSize);
        for (var count = 1; next < stack.Ancestors.Count && count < MaximumOptions; next++, count++)
        {
            var branch = $":{stack.PathOf(stack.Ancestors[next])}=ro+wh";
            size += MountCall.SizeOf(branch);
            if (size > room) break;
            data.Append(branch);
        }

        data.Append(options).Append(stack.Dirperm1 ? Dirperm1 : "").Append(label);
        return new MountCall(stack.Flags, data.ToString());
    }

    private static MountCall Append(BranchStack stack, int pageSize, ref int next)
    {
        var data = new StringBuilder();
        var size = 0;
        for (var count = 0; next < stack.Ancestors.Count && count < MaximumOptions; next++, count++)
        {
            var branch = $"{(count == 0 ? "" : ",")}append:{stack.PathOf(stack.Ancestors[next])}=ro+wh";
            size += MountCall.SizeOf(branch);
            if (size > MountCall.Limit(pageSize)) break;
            data.Append(branch);
        }

        if (data.Length == 0) throw new BranchPlanException(stack.PathOf(stack.Ancestors[next]), pageSize);
        return new MountCall(stack.Flags | MountFlags.Remount, data.ToString());
    }
}

/// <summary>No call can name the branch: its path alone is longer than a page of options.</summary>
internal sealed class BranchPlanException(string path, int pageSize) : Exception(
    $"the path \"{path}\" is longer than a page of mount options ({MountCall.Limit(pageSize)} bytes); choose a shorter root.")
{
    /// <summary>The path.</summary>
    internal string Branch { get; } = path;
}
