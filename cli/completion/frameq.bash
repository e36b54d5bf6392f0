#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Completion of frameq for bash: eval "$(frameq completion bash)"
# Asks frameq itself for verbs and flags, and the broker for jobs and agents.

# _frameq_words VERB WORD: what may stand at the word that begins so.
_frameq_words() {
    case $1:$2 in
    :*) frameq completion verbs | cut -f 1 ;;
    *:-*) frameq "$1" --help | grep -oE -- '^ +(-[a-z], )?--[a-z-]+' |
        grep -oE -- '--[a-z-]+' ;;
    show:* | explain:* | frames:* | logs:* | fetch:* | movie:* | watch:* | cancel:* | retry:* | pause:* | resume:* | \
        priority:* | rm:*)
        frameq ls --all --json | grep -oE '"(id|name)":"[^" ]+"' |
            cut -d '"' -f 4 ;;
    drain:*) _frameq_agents ;;
    agents:*)
        printf '%s\n' ls add remove
        _frameq_agents
        ;;
    token:*) printf '%s\n' add ls rm ;;
    completion:*) printf '%s\n' bash zsh fish ;;
    esac 2>/dev/null
}

_frameq_agents() {
    frameq agents --json | grep -oE '"name":"[^"]+","state"' | cut -d '"' -f 4
}

_frameq() {
    local verb='' word=${COMP_WORDS[COMP_CWORD]}
    ((COMP_CWORD > 1)) && verb=${COMP_WORDS[1]}
    mapfile -t COMPREPLY < <(compgen -W "$(_frameq_words "$verb" "$word")" \
        -- "$word")
}

complete -o default -F _frameq frameq
