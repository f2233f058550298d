#compdef typedcfg
# Completion of typedcfg for zsh. In ~/.zshrc, below compinit:  source <(typedcfg completion zsh)

_typedcfg() {
    local line text about
    local -a ended ended_shown open open_shown
    while IFS= read -r line; do
        text=${line%%$'\t'*}
        about=${line#*$'\t'}
        # What goes on, as `optimizer.` does, is followed by no space.
        if [[ $text == *[.=:/] ]]; then
            open+=("$text")
            open_shown+=("$text${about:+  -- $about}")
        else
            ended+=("$text")
            ended_shown+=("$text${about:+  -- $about}")
        fi
    done < <(printf '%s\0' "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" | ${~words[1]} complete words 2>/dev/null)
    (( $#open )) && compadd -l -S '' -d open_shown -a open
    (( $#ended )) && compadd -l -d ended_shown -a ended
}

if [[ $funcstack[1] == _typedcfg ]]; then
    _typedcfg "$@"
else
    compdef _typedcfg typedcfg
fi
