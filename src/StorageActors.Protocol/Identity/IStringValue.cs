namespace StorageActors.Protocol.Identity;

/// <summary>A validated value that travels as one string: in JSON, in the journal and on the command line.</summary>
/// <typeparam name="TSelf">The value's own type.</typeparam>
public interface IStringValue<TSelf> where TSelf : struct, IStringValue<TSelf>
{
    /// <summary>The text; never null for a value made by <see cref="Parse"/>.</summary>
    string Value { get; }

    /// <summary>Makes a value from <paramref name="text"/>.</summary>
    /// <exception cref="FormatException">The text breaks the type's rule; the message says which.</exception>
    static abstract TSelf Parse(string text);
}
