using System.CommandLine;
using StorageActors.Cli.Running;

namespace StorageActors.Cli.Verbs;

/// <summary>Prints what a shell needs to complete verbs and options.</summary>
internal sealed class CompletionVerb : Verb
{
    /// <summary>The command completes by itself: its <c>[suggest]</c> directive answers what fits at a position of a line.</summary>
    private static readonly Dictionary<string, string> Scripts = new(StringComparer.Ordinal)
    {
        ["bash"] = """
            # storage-actors completion bash > /etc/bash_completion.d/storage-actors
            _storage_actors() {
                local IFS=$'\n'
                COMPREPLY=($(compgen -W "$(storage-actors "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
            }
            complete -o default -F _storage_actors storage-actors
            """,
        ["zsh"] = """
            #compdef storage-actors
            # storage-actors completion zsh > "${fpath[1]}/_storage-actors"
            _storage_actors() {
                local -a words_found
                words_found=("${(@f)$(storage-actors "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
                compadd -- $words_found
                _files
            }
            if [ "$funcstack[1]" = "_storage-actors" ]; then _storage_actors "$@"; else compdef _storage_actors storage-actors; fi
            """,
        ["fish"] = """
            # storage-actors completion fish > ~/.config/fish/completions/storage-actors.fish
            complete -c storage-actors -a '(storage-actors "[suggest:"(commandline -C)"]" (commandline -p) 2>/dev/null)'
            """,
    };

    private readonly Argument<string> _shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish" }.AcceptOnlyFromAmong([.. Scripts.Keys]);

    internal CompletionVerb()
        : base("completion", "Print the completion script for a shell") => Add(_shell);

    internal override Task<int> RunAsync(Invocation call)
    {
        call.Output.Line(Scripts[call.Get(_shell)].ReplaceLineEndings("\n"));
        return Task.FromResult(ExitCode.Done);
    }
}
