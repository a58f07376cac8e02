using System.CommandLine;
using StorageActors.Protocol;

namespace StorageActors.Cli.Running;

/// <summary>The options that say which users and groups of the host those of a container are.</summary>
internal sealed class IdOptions
{
    private readonly Option<string[]> _users;
    private readonly Option<string[]> _groups;
    private readonly Option<bool> _host;

    /// <param name="whose">What is mapped, for the help.</param>
    internal IdOptions(string whose)
    {
        _users = Ranges("--uidmap", $"Which users of the host {whose} are; alone it stands for groups, too");
        _groups = Ranges("--gidmap", $"Which groups of the host {whose} are; alone it stands for users, too");
        _host = new Option<bool>("--host-ids") { Description = $"The ids of {whose} are the host's, whatever map would apply" };
    }

    internal void AddTo(Command verb)
    {
        foreach (var option in new Option[] { _users, _groups, _host }) verb.Add(option);
        verb.Validators.Add(result =>
        {
            try
            {
                var isMapped = !Map(result.GetValue(_users), result.GetValue(_groups)).IsHost();
                if (isMapped && result.GetValue(_host)) result.AddError("--host-ids excludes --uidmap and --gidmap");
            }
            catch (FormatException e)
            {
                result.AddError(e.Message);
            }
        });
    }

    /// <summary>What was asked for; null when nothing was.</summary>
    internal IdMap? Get(Invocation call)
    {
        if (call.Get(_host)) return IdMap.Host;
        return Map(call.Get(_users), call.Get(_groups)) is var map && map.IsHost() ? null : map;
    }

    private static Option<string[]> Ranges(string name, string description) =>
        new(name) { Description = description, HelpName = "CONTAINER:HOST:SIZE", DefaultValueFactory = static _ => [] };

    private static IdMap Map(string[]? users, string[]? groups) =>
        IdMap.OfContainer([.. (users ?? []).SelectMany(IdMap.ParseRanges)], [.. (groups ?? []).SelectMany(IdMap.ParseRanges)]);
}
