# fish completion for atomctl: put it into ~/.config/fish/completions, or source it.
# The atomctl on your PATH answers for commands, flags and values; fish quotes them.

function __atomctl_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l raw (commandline --current-token --cut-at-cursor)
    # The quote may still be open.
    set -l current "$raw"
    for quote in '' \' \"
        if set -l plain (string unescape -- "$raw$quote" 2>/dev/null)
            set current "$plain"
            break
        end
    end
    set -l answer (command atomctl completion:answer -- $words[2..-1] "$current" 2>/dev/null </dev/null)
    set -l flag (string match --regex -- '^--[^=]*=' "$current")
    set -l path (string replace -- "$flag" '' "$current")
    switch "$answer[1]"
        case files
            string replace --regex -- '^' "$flag" (__fish_complete_path "$path")
        case directories
            string replace --regex -- '^' "$flag" (__fish_complete_directories "$path")
        case '*'
            string join -- \n $answer[2..-1]
    end
end

complete --command atomctl --no-files --keep-order --arguments '(__atomctl_complete)'
