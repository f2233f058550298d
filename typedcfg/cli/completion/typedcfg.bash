# Completion of typedcfg for bash 4.4 and later. In ~/.bashrc:  source <(typedcfg completion bash)

_typedcfg() {
    mapfile -t COMPREPLY < <(
        printf '%s\n' "${COMP_LINE:0:COMP_POINT}" |
            COMP_WORDBREAKS="$COMP_WORDBREAKS" "$1" complete line 2>/dev/null
    )
    # What goes on, as `optimizer.` does, is followed by no space.
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[.=:/] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}

complete -F _typedcfg typedcfg
