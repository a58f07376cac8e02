using System.Globalization;
using System.Reflection;

namespace StorageActors.EngineTests.Architecture;

/// <summary>Writes down what an assembly shows to others, one line a type or member, sorted.</summary>
internal static class PublicApi
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly string[] Synthesized = ["<Clone>$", "PrintMembers", "EqualityContract", "get_EqualityContract"];

    internal static string Of(Assembly assembly)
    {
        var lines = assembly.GetExportedTypes().OrderBy(static type => type.FullName, StringComparer.Ordinal).SelectMany(Describe);
        return string.Join('\n', lines) + "\n";
    }

    private static IEnumerable<string> Describe(Type type)
    {
        yield return $"{Kind(type)} {Name(type)}{Bases(type)}";
        foreach (var line in type.GetMembers(Declared).Where(IsShown).Select(Describe).Order(StringComparer.Ordinal)) yield return "    " + line;
    }

    private static string Kind(Type type) => type switch
    {
        { IsEnum: true } => "enum",
        { IsInterface: true } => "interface",
        { IsValueType: true } => "struct",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsSealed: true } => "sealed class",
        { IsAbstract: true } => "abstract class",
        _ => "class",
    };

    private static string Bases(Type type)
    {
        if (type.IsEnum) return "";
        var bases = type.GetInterfaces().Where(static i => i.IsPublic || i.IsNestedPublic).Select(Name).Order(StringComparer.Ordinal).ToList();
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType)) bases.Insert(0, Name(parent));
        return bases.Count == 0 ? "" : " : " + string.Join(", ", bases);
    }

    private static bool IsShown(MemberInfo member) => !Synthesized.Contains(member.Name, StringComparer.Ordinal) && member switch
    {
        MethodBase { IsSpecialName: true, IsConstructor: false } => false,
        MethodBase method => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly,
        FieldInfo { IsSpecialName: true } => false,
        FieldInfo field => field.IsPublic || field.IsFamily,
        PropertyInfo property => property.GetAccessors().Length > 0,
        EventInfo => true,
        _ => false,
    };

    private static string Describe(MemberInfo member) => member switch
    {
        ConstructorInfo constructor => $"new({Parameters(constructor)})",
        MethodInfo method => $"{(method.IsStatic ? "static " : "")}{Name(method.ReturnType)} {method.Name}{Generics(method)}({Parameters(method)})",
        PropertyInfo property => $"{Name(property.PropertyType)} {property.Name} {{ {(property.CanRead ? "get; " : "")}{Setter(property)}}}",
        FieldInfo { IsLiteral: true, DeclaringType.IsEnum: true } value =>
            string.Create(CultureInfo.InvariantCulture, $"{value.Name} = {Convert.ToInt64(value.GetRawConstantValue(), CultureInfo.InvariantCulture)}"),
        FieldInfo field => $"{(field.IsLiteral ? "const " : field.IsStatic ? "static " : "")}{Name(field.FieldType)} {field.Name}",
        _ => member.ToString()!,
    };

    private static string Setter(PropertyInfo property) => property.SetMethod switch
    {
        { IsPublic: true } set when set.ReturnParameter.GetRequiredCustomModifiers().Length > 0 => "init; ",
        { IsPublic: true } => "set; ",
        _ => "",
    };

    private static string Generics(MethodInfo method) =>
        method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>" : "";

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(static parameter =>
        $"{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? " = " + (parameter.DefaultValue ?? "null") : "")}"));

    private static string Name(Type type)
    {
        if (type.IsByRef) return "ref " + Name(type.GetElementType()!);
        if (type.IsArray) return Name(type.GetElementType()!) + "[]";
        if (type.IsGenericParameter) return type.Name;
        if (Nullable.GetUnderlyingType(type) is { } underlying) return Name(underlying) + "?";
        var plain = type.IsNested ? $"{Name(type.DeclaringType!)}.{type.Name}" : type.Namespace is "System" ? type.Name : type.FullName?.Split('[')[0] ?? type.Name;
        var tick = plain.IndexOf('`', StringComparison.Ordinal);
        return !type.IsGenericType || tick < 0 ? plain : $"{plain[..tick]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}
