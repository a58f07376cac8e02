using System.Text;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Win32.SafeHandles;
using StorageActors.Cli.Running;
using StorageActors.Linux;
using StorageActors.Node.Wire;
using StorageActors.Protocol;

namespace StorageActors.Cli.Output;

/// <summary>
/// Results to stdout, everything else to stderr. Nothing but this writes to stdout: the console's own writer is turned to stderr at start, so
/// that no library can spoil a result.
/// </summary>
internal sealed class Printer(bool json, bool quiet)
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);
    private readonly StreamWriter _out = new(new StandardOutput(mayBeLeft: true), Utf8, 16 * 1024) { NewLine = "\n" };

    /// <summary>Whether one JSON document is wanted.</summary>
    internal bool Json => json;

    /// <summary>Whether ids alone are wanted.</summary>
    internal bool Quiet => quiet;

    /// <summary>Whether a person looks at the results.</summary>
    internal bool ToTerminal => !Console.IsOutputRedirected;

    /// <summary>Columns that a table may take; no bound when it goes to a file or a program.</summary>
    internal int Width => ToTerminal ? Math.Max(40, Console.WindowWidth) : int.MaxValue;

    internal void Line(string text) => _out.WriteLine(text);

    /// <summary>The one JSON document of the verb.</summary>
    internal void Document<T>(T value)
    {
        _out.WriteLine(ResultJson.Write(value));
    }

    /// <summary>The same with one more key at its end.</summary>
    internal void Document<T, TMore>(T value, string key, TMore more) => _out.WriteLine(ResultJson.Write(value, key, more));

    internal void Table(Table table) => table.WriteTo(_out, Width);

    /// <summary>Gives what was printed so far to stdout. A reader that has gone is not our failure: it has seen what it wanted.</summary>
    internal void Flush() => _out.Flush();

    /// <summary>A remark for people, on stderr; not with <c>--quiet</c>.</summary>
    internal void Note(string text)
    {
        if (!quiet) Console.Error.WriteLine(text);
    }

    /// <summary>A warning, on stderr.</summary>
    internal void Warning(string verb, string text) => Console.Error.WriteLine($"storage-actors: {verb}: warning: {text}");

    /// <summary>A failure, on stderr: one line, or an object.</summary>
    internal void Error(string verb, StorageError error) =>
        Console.Error.WriteLine(json ? Utf8.GetString(WireJson.Write(new WireError(error))) : Failure.Line(verb, error));
}
