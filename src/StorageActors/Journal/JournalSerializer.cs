using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;

namespace StorageActors.Journal;

/// <summary>Journal events for Akka, as <see cref="JournalRows"/> has them.</summary>
internal sealed class JournalSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    /// <inheritdoc/>
    public override int Identifier => JournalRows.SerializerId;

    /// <summary>All names that rows may have.</summary>
    internal static IEnumerable<string> KnownManifests => JournalRows.KnownManifests;

    /// <inheritdoc/>
    public override string Manifest(object o) =>
        JournalRows.ManifestOf(o) ?? throw new SerializationException($"{o.GetType()} is no journal event");

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj) => JournalRows.Write(obj);

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, string manifest) => JournalRows.Read(bytes, manifest);
}
