using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace StorageActors.Store;

/// <summary>
/// A record's member that may be null is left out when it is, so it must not be missed when it is read; one that may not be null must be there. The
/// serializer asks for all that have no default in the constructor.
/// </summary>
internal static class OptionalMembers
{
    /// <summary>The options of a context, with that rule.</summary>
    internal static JsonSerializerOptions Of(JsonSerializerContext context)
    {
        var options = new JsonSerializerOptions(context.Options) { TypeInfoResolver = context.WithAddedModifier(Relax) };
        options.MakeReadOnly();
        return options;
    }

    private static void Relax(JsonTypeInfo type)
    {
        foreach (var member in type.Properties)
        {
            if (member.AssociatedParameter is { IsNullable: true }) member.IsRequired = false;
        }
    }
}
