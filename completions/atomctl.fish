# fish completion for atomctl: put it into ~/.config/fish/completions, or source it.
# atomctl itself answers for commands, flags, sites and jobs.

function __atomctl_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l answer ($words[1] completion:answer -- $words[2..-1] "$current" 2>/dev/null)
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
