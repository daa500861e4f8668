# bash completion for atomctl: source it, or put it at /usr/share/bash-completion/completions/atomctl.
# The atomctl on your PATH answers; it knows how bash quotes words.

_atomctl() {
    local answer
    COMPREPLY=()
    # Not COMP_WORDS: readline splits those at ":" and "=". $2 is what readline replaces.
    mapfile -t answer < <(command atomctl completion:answer --bash -- "$2" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null </dev/null)
    case ${answer[0]-} in
        files) compopt -o default ;;
        directories) compopt -o dirnames ;;
        list) compopt -o nospace ;;
    esac
    COMPREPLY=("${answer[@]:1}")
}

complete -o nosort -F _atomctl atomctl
