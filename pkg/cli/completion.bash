
# The script above asks the package bash-completion for the words of the line and
# for names of files. These do it where the package is not loaded, on bash 3.2 too.

# __faxctl_words sets words, cword, cur and prev to the line up to the cursor. Bash
# cuts words at = and : as well; here they stay whole.
__faxctl_words()
{
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref -n =: cur prev words cword
        return
    fi
    local i word rest cut glued=
    local line=${COMP_LINE:0:COMP_POINT}
    words=() cword=0
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        rest=${line#"${line%%[![:space:]]*}"}
        ((i < COMP_CWORD)) || word=$rest
        [[ $word == *[!=:]* || -z $word ]] && cut= || cut=yes
        if [[ $i -gt 0 && $rest == "$line" && -n $cut$glued ]]; then
            words[cword]+=$word
        else
            cword=${#words[@]}
            words+=("$word")
        fi
        glued=$cut
        line=${rest#"$word"}
    done
    cur=${words[cword]} prev=
    ((cword == 0)) || prev=${words[cword - 1]}
}

# __faxctl_files offers files: all of them, folders with -d, or folders and the
# files that end as in "pdf|tiff|".
__faxctl_files()
{
    if declare -F _filedir >/dev/null; then
        _filedir "$@"
        return
    fi
    local name ends="|$1"
    [[ $(type -t compopt) != builtin ]] || compopt -o filenames
    while IFS= read -r name; do
        if [[ -z $1 || -d $name || $ends == *"|${name##*.}|"* ]]; then
            COMPREPLY+=("$name")
        fi
    done < <([[ $1 == -d ]] && compgen -d -- "$cur" || compgen -f -- "$cur")
}
