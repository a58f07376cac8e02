using System.Collections.Frozen;
using System.Reflection;
using StorageActors.Protocol;

namespace StorageActors.Node.Wire;

/// <summary>
/// Every command of the protocol and its address: <c>/v1/store/Apply</c> for <see cref="StoreProtocol.Apply"/>. Built from the protocol's own
/// types, so a new command is served without a line here.
/// </summary>
public static class CommandTable
{
    /// <summary>What every address starts with.</summary>
    public const string Prefix = "/v1/";

    private static readonly Type[] Protocols = [typeof(StoreProtocol), typeof(LayerProtocol), typeof(CatalogProtocol)];

    private static readonly Lazy<FrozenDictionary<string, Type>> ByPath = new(static () =>
        Protocols.SelectMany(static protocol => protocol.GetNestedTypes(BindingFlags.Public))
            .Where(static type => type is { IsAbstract: false, IsInterface: false } && type.IsAssignableTo(typeof(StoreProtocol.ICommand)))
            .ToFrozenDictionary(PathOf, StringComparer.Ordinal));

    /// <summary>Each address and its command.</summary>
    public static IReadOnlyDictionary<string, Type> All => ByPath.Value;

    /// <summary>The command at an address, or none.</summary>
    /// <param name="path">The path of a request.</param>
    public static Type? Find(string path) => ByPath.Value.GetValueOrDefault(path);

    /// <summary>The address of a command.</summary>
    /// <param name="command">A type nested in one of the protocols.</param>
    public static string PathOf(Type command)
    {
        var protocol = command.DeclaringType?.Name ?? throw new ArgumentException($"{command} is no command", nameof(command));
        return $"{Prefix}{protocol.Replace("Protocol", "", StringComparison.Ordinal).ToLowerInvariant()}/{command.Name}";
    }
}
