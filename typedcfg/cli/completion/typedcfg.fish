# Completion of typedcfg for fish 3.4 and later:  typedcfg completion fish > ~/.config/fish/completions/typedcfg.fish

function __typedcfg_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct | string unescape; or commandline -ct)
    printf '%s\0' $words "$current" | $words[1] complete words 2>/dev/null
end

complete -c typedcfg -f -a '(__typedcfg_complete)'
