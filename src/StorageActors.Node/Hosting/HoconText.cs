namespace StorageActors.Node.Hosting;

/// <summary>Looks over the text of a HOCON file before it is parsed: Akka's parser takes what is not closed for closed, or never ends on it.</summary>
internal static class HoconText
{
    /// <summary>What is wrong with brackets and quotation marks, with the number of the line; null when nothing is.</summary>
    internal static string? Fault(string text)
    {
        var open = new Stack<(char Bracket, int Line)>();
        var line = 1;
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\n':
                    line++;
                    break;
                case '#':
                case '/' when text.AsSpan(i).StartsWith("//", StringComparison.Ordinal):
                    i = EndOfLine(text, i) - 1;
                    break;
                case '"':
                    var end = EndOfString(text, i);
                    if (end < 0) return $"line {line}: a text in quotation marks begins here and does not end";
                    line += text.AsSpan(i, end - i).Count('\n');
                    i = end - 1;
                    break;
                case '{' or '[':
                    open.Push((text[i], line));
                    break;
                case '}' or ']':
                    if (!open.TryPop(out var last)) return $"line {line}: {text[i]} closes nothing";
                    if (last.Bracket != (text[i] == '}' ? '{' : '[')) return $"line {line}: {text[i]} stands where the {last.Bracket} of line {last.Line} is not closed yet";
                    break;
            }
        }

        return open.TryPop(out var left) ? $"line {left.Line}: the {left.Bracket} is not closed" : null;
    }

    /// <summary>The number of the line that has a position.</summary>
    internal static int LineOf(string text, int position) => text.AsSpan(0, Math.Clamp(position, 0, text.Length)).Count('\n') + 1;

    private static int EndOfLine(string text, int from) => text.IndexOf('\n', from) is >= 0 and var end ? end : text.Length;

    /// <summary>The position behind a quoted text; negative when it does not end: on its line, unless three quotation marks begin it.</summary>
    private static int EndOfString(string text, int from)
    {
        const string three = "\"\"\"";
        if (text.AsSpan(from).StartsWith(three, StringComparison.Ordinal))
            return text.IndexOf(three, from + three.Length, StringComparison.Ordinal) is >= 0 and var close ? close + three.Length : -1;
        for (var i = from + 1; i < text.Length && text[i] != '\n'; i++)
        {
            if (text[i] == '"') return i + 1;
            if (text[i] == '\\') i++;
        }

        return -1;
    }
}
