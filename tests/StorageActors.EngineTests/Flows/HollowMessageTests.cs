using System.Collections;
using System.Reflection;
using Akka.Actor;
using StorageActors.EngineTests.Support;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>A program may send what its compiler warned of: nulls where there must be something. That refuses the command and harms nobody else.</summary>
public sealed class HollowMessageTests : StoreTest
{
    private const int Depth = 3;

    private static readonly LayerId Layer = LayerId.Parse("layer");

    public static TheoryData<string> Commands => [.. Types().Select(static type => type.FullName!)];

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task A_command_that_lacks_something_is_refused_and_the_store_serves_on(string type)
    {
        await using var engine = await StartAsync("akka.actor.serialize-messages = off");
        await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("content", "layer")]));
        var catalog = await CatalogAsync(engine);

        foreach (var (command, lack) in Hollows(Types().Single(one => one.FullName == type)))
        {
            var answer = await engine.Client.Channel.AskAsync<StoreProtocol.IReply>((StoreProtocol.ICommand)command).WaitAsync(Patient.Limit);
            var outcome = (answer as StoreProtocol.Refused)?.Error.Code;
            Assert.False(outcome is StorageErrorCode.Internal or StorageErrorCode.Damaged or StorageErrorCode.Io, $"{lack}: {outcome}");
        }

        await engine.Client.ListLayersAsync();
        Assert.Equal(catalog, await CatalogAsync(engine)); // It did not have to be started again.
    }

    private static async Task<IActorRef> CatalogAsync(Engine.StorageEngine engine) =>
        await engine.System.ActorSelection(engine.Store.Actor.Path / "catalog*").ResolveOne(Patient.Limit);

    private static IEnumerable<Type> Types() => typeof(StoreProtocol).Assembly.GetTypes()
        .Where(static type => type is { IsClass: true, IsAbstract: false } && type.IsAssignableTo(typeof(StoreProtocol.ICommand)))
        .OrderBy(static type => type.FullName, StringComparer.Ordinal);

    /// <summary>The values of a type that have nothing at one place where they should have something.</summary>
    private static IEnumerable<(object Value, string Lack)> Hollows(Type type, int depth = Depth)
    {
        var constructor = ConstructorOf(type);
        var parameters = constructor.GetParameters();
        var whole = parameters.Select(parameter => Whole(parameter.ParameterType)).ToArray();
        for (var place = 0; place < parameters.Length; place++)
        {
            foreach (var (part, lack) in Parts(parameters[place].ParameterType, depth))
            {
                var arguments = (object?[])whole.Clone();
                arguments[place] = part;
                object made;
                try
                {
                    made = constructor.Invoke(arguments);
                }
                catch (TargetInvocationException e) when (e.InnerException is ArgumentException or FormatException or StorageException)
                {
                    continue; // It cannot even be made.
                }

                yield return (made, $"{type.Name}.{parameters[place].Name}{lack}");
            }
        }
    }

    private static IEnumerable<(object? Value, string Lack)> Parts(Type type, int depth)
    {
        yield return (type.IsValueType ? Activator.CreateInstance(type) : null, " is nothing");
        if (depth == 0) yield break;
        if (ElementOf(type) is { } element)
        {
            foreach (var (part, lack) in Parts(element, depth - 1)) yield return (ArrayOf(element, part), $" has one that{lack}");
        }
        else if (IsRecord(type))
        {
            foreach (var (part, lack) in Hollows(type, depth - 1)) yield return (part, " " + lack);
        }
    }

    private static object? Whole(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner) return Whole(inner);
        if (type == typeof(LayerId)) return Layer;
        if (type == typeof(string)) return "text";
        if (type == typeof(byte[])) return new byte[] { 1 };
        if (type == typeof(BlobSource)) return BlobSource.File("/no/such/file");
        if (type == typeof(BlobTarget)) return new BlobTarget("/no/such/directory/file");
        if (type == typeof(IdMap)) return IdMap.Host;
        if (type == typeof(Digest)) return DiffOf("content");
        if (type == typeof(ImageId)) return ImageId.Parse(new string('a', 64));
        if (typeof(IDictionary).IsAssignableFrom(type) || type == typeof(IReadOnlyDictionary<string, string>)) return new Dictionary<string, string> { ["key"] = "value" };
        if (ElementOf(type) is { } element) return ArrayOf(element, Whole(element));
        if (IsRecord(type)) return ConstructorOf(type).Invoke([.. ConstructorOf(type).GetParameters().Select(parameter => Whole(parameter.ParameterType))]);
        if (IsOurs(type) && type.GetMethod("Parse", [typeof(string)]) is { } parse) return parse.Invoke(null, ["text"]);
        return type.IsValueType ? Activator.CreateInstance(type) : null;
    }

    private static bool IsRecord(Type type) => IsOurs(type) && type is { IsClass: true, IsAbstract: false } && type.GetConstructors().Length > 0;

    private static bool IsOurs(Type type) => type.Namespace!.StartsWith("StorageActors", StringComparison.Ordinal);

    private static ConstructorInfo ConstructorOf(Type type) => type.GetConstructors().MaxBy(static one => one.GetParameters().Length)!;

    private static Type? ElementOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() is { } generic && (generic == typeof(IReadOnlyList<>) || generic == typeof(IReadOnlyCollection<>))
            ? type.GetGenericArguments()[0] : null;

    private static Array ArrayOf(Type element, object? value)
    {
        var array = Array.CreateInstance(element, 1);
        array.SetValue(value, 0);
        return array;
    }
}
