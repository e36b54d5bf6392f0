#compdef frameq
# SPDX-License-Identifier: Apache-2.0
# Completion of frameq for zsh: source <(frameq completion zsh)
# Asks frameq itself for verbs and flags, and the broker for jobs and agents.

_frameq() {
    local -a found
    local verb=${words[2]} word=${words[CURRENT]}
    if ((CURRENT == 2)); then
        found=(${(f)"$(frameq completion verbs | tr '\t' ':')"})
        _describe verb found
        return
    fi
    case $verb:$word in
    *:-*) found=(${(f)"$(frameq $verb --help 2>/dev/null |
        sed -nE 's/^ +(-[a-z], )?(--[a-z-]+).*/\2/p')"}) ;;
    (show|explain|frames|logs|fetch|movie|watch|cancel|retry|pause|resume|priority|rm):*)
        found=(${(f)"$(frameq ls --all --json 2>/dev/null |
            grep -oE '"(id|name)":"[^" ]+"' | cut -d '"' -f 4)"}) ;;
    (drain|agents):*)
        found=(${(f)"$(frameq agents --json 2>/dev/null |
            grep -oE '"name":"[^"]+","state"' | cut -d '"' -f 4)"})
        [[ $verb == agents ]] && found+=(ls add remove) ;;
    token:*) found=(add ls rm) ;;
    completion:*) found=(bash zsh fish) ;;
    *) _files; return ;;
    esac
    compadd -a found
}

compdef _frameq frameq
