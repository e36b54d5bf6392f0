# SPDX-License-Identifier: Apache-2.0
# Completion of frameq for fish: frameq completion fish | source
# Asks frameq itself for verbs and flags, and the broker for jobs and agents.

function __frameq_verb
    set -l words (commandline -opc)
    count $words[2..] >/dev/null; and echo $words[2]
end

function __frameq_flags
    frameq (__frameq_verb) --help 2>/dev/null |
        string match -rg '^ +(?:-[a-z], )?(--[a-z-]+)'
end

function __frameq_jobs
    frameq ls --all --json 2>/dev/null |
        string match -arg '"(?:id|name)":"([^" ]+)"'
end

function __frameq_agents
    frameq agents --json 2>/dev/null |
        string match -arg '"name":"([^"]+)","state"'
end

complete -c frameq -n 'not __frameq_verb' -f -a '(frameq completion verbs)'
complete -c frameq -n '__frameq_verb; and string match -q -- "-*" (commandline -ct)' -f -a '(__frameq_flags)'
for verb in show explain frames logs fetch movie watch cancel retry pause resume priority rm
    complete -c frameq -n "test \"\$(__frameq_verb)\" = $verb" -f -a '(__frameq_jobs)'
end
complete -c frameq -n 'test "$(__frameq_verb)" = drain' -f -a '(__frameq_agents)'
complete -c frameq -n 'test "$(__frameq_verb)" = agents' -f -a 'ls add remove (__frameq_agents)'
complete -c frameq -n 'test "$(__frameq_verb)" = token' -f -a 'add ls rm'
complete -c frameq -n 'test "$(__frameq_verb)" = completion' -f -a 'bash zsh fish'
