# bash completion for atomctl: source it, or put it at /usr/share/bash-completion/completions/atomctl.
# atomctl itself answers for commands, flags, sites and jobs.

_atomctl() {
    local line=${COMP_LINE:0:COMP_POINT} words=() current answer
    COMPREPLY=()
    # Not COMP_WORDS: readline splits those at ":" and "=".
    read -ra words <<<"$line"
    [[ $line != *[[:space:]] ]] || words+=('')
    current=${words[${#words[@]} - 1]}
    answer=$("${words[0]}" completion:answer -- "${words[@]:1}" 2>/dev/null) || return 0

    local IFS=$'\n'
    case ${answer%%$'\n'*} in
        files)
            COMPREPLY=($(compgen -f -- "${current#--*=}"))
            compopt -o filenames 2>/dev/null
            return 0
            ;;
        directories)
            COMPREPLY=($(compgen -d -- "${current#--*=}"))
            compopt -o filenames 2>/dev/null
            return 0
            ;;
        list) compopt -o nospace 2>/dev/null ;;
    esac
    [[ $answer == *$'\n'* ]] || return 0
    COMPREPLY=($(cut -f 1 <<<"${answer#*$'\n'}"))
    # For readline the word begins after the last ":" or "=".
    COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*[:=]}"}"}")
}

complete -F _atomctl atomctl
