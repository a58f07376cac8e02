using System.Text;
using Akka.Actor;
using Akka.Serialization;

namespace StorageActors.EngineTests.AkkaCompat.Sql;

/// <summary>Events with a serializer of their own.</summary>
public interface IShape;

public sealed record Circle(int Size) : IShape;

public sealed record Square(int Size) : IShape;

/// <summary>A shape that its serializer does not know.</summary>
public sealed record Hexagon : IShape;

/// <summary>Names types by short words, so that a type can move.</summary>
public sealed class ShapeSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public override int Identifier => 4711;

    public override string Manifest(object o) => o switch
    {
        Circle => "circle",
        Square => "square",
        _ => throw new ArgumentException($"no manifest for {o.GetType()}", nameof(o)),
    };

    public override byte[] ToBinary(object obj) => Encoding.UTF8.GetBytes(obj switch
    {
        Circle circle => $"{circle.Size}",
        Square square => $"{square.Size}",
        _ => throw new ArgumentException($"cannot write {obj.GetType()}", nameof(obj)),
    });

    public override object FromBinary(byte[] bytes, string manifest) => manifest switch
    {
        "circle" => new Circle(int.Parse(Encoding.UTF8.GetString(bytes))),
        "square" => new Square(int.Parse(Encoding.UTF8.GetString(bytes))),
        _ => throw new ArgumentException($"unknown manifest {manifest}", nameof(manifest)),
    };
}
