# SPDX-License-Identifier: MIT
# Sourced by the tests of the example providers, alone: a FIFO is written to as npjobd would do it, and the job scheduled,
# abandoned or forgotten. Arguments: the folder of the providers, and the shell that runs them.
set -u
. "$(dirname "$(realpath "$0")")/tap.sh"
providers=$(realpath "$1")
shell=${2-sh}
# As /proc has it.
tmp=$(cd "$(mktemp -d "${TMPDIR:-/tmp}/providers.XXXXXX")" && pwd -P)
trap 'rm -rf "$tmp"' EXIT
# Whatever a provider leaves running stays in this working directory, and is found by that.
mkdir "$tmp/cwd"
spool="$tmp/a spool"

run() # PROVIDER COMMAND ARGUMENT...
{
    (cd "$tmp/cwd" && exec timeout 20 "$shell" "$providers/npjob-$1" "$2" --folder "$spool" "${@:3}")
}

# addjob, as npjobd reads it: to the end of both its outputs, which the keeper must not hold open. Sets $pipe and $id.
add() # PROVIDER ARGUMENT...
{
    local said
    said=$(run "$1" addjob "${@:2}" 2>&1) || return
    pipe=$(sed -n 1p <<<"$said")
    id=$(sed -n 2p <<<"$said")
    [ -p "$pipe" ] && [ "$(wc -l <<<"$said")" -eq 2 ] && [ "$id" -ge 1 ] && [ "$id" -le 4294967295 ]
}

# put FILE [PIPE]: writes to the pipe, which is $pipe if not named. Opening it could wait for ever.
put()
{
    timeout 30 sh -c 'exec cat "$0" >"$1"' "$1" "${2-$pipe}" 2>/dev/null
}

# eventually COMMAND...: within ten seconds.
eventually()
{
    local tick
    for ((tick = 0; tick < 100; tick++)); do
        "$@" && return
        sleep 0.1
    done
    echo "not within ten seconds: $*"
    return 1
}

# holders LINK FILE: the processes whose /proc/PROCESS/LINK is this file.
holders()
{
    find /proc/[0-9]*/"$1" -maxdepth 0 -lname "$2" -printf '%p\n' 2>/dev/null | cut -d / -f 3
}

nobody()
{
    [ -z "$(holders cwd "$tmp/cwd")" ]
}

no_jobs()
{
    [ -z "$(ls -A "$spool/.npjob" 2>/dev/null)" ]
}

# No process, no pipe, no part of a file, and in the spool these files only.
left() # FILE...
{
    eventually nobody && eventually no_jobs && diff <(printf '%s\n' "$@" | grep .) <(ls "$spool")
}

# Ends in one line of error, and this exit code.
refused() # CODE TEXT COMMAND...
{
    local code=0
    "${@:3}" >"$tmp/out" 2>"$tmp/err" || code=$?
    [ "$code" -eq "$1" ] && [ ! -s "$tmp/out" ] && [ "$(wc -l <"$tmp/err")" -eq 1 ] && grep -qF -- "$2" "$tmp/err" && return
    echo "exit code $code: $(cat "$tmp/out" "$tmp/err")"
    return 1
}

# tools NAME LINE...: $tmp/tools has a command of each name that does this before it begins, and no others.
tools()
{
    rm -rf "$tmp/tools" && mkdir "$tmp/tools" || return
    while [ $# -gt 0 ]; do
        printf '#!/bin/sh\n%s\nexec %s "$@"\n' "$2" "$(command -v "$1")" >"$tmp/tools/$1"
        shift 2
    done
    chmod +x "$tmp/tools"/*
}

is_dead() # PROCESS
{
    ! grep -qs '^State:.[^Z]' "/proc/$1/status"
}

kill_keeper()
{
    local keeper
    read -r keeper <"$spool/.npjob/$id/keeper" && kill -KILL "$keeper" && eventually is_dead "$keeper"
}

# add, and the job's keeper is killed as it begins to wait for the pipe to be opened.
add_and_lose_keeper() # PROVIDER ARGUMENT...
{
    rm -f "$tmp/waits"
    tools sleep "[ \"\$1\" != 1 ] || : >\"$tmp/waits\"" && PATH=$tmp/tools:$PATH add "$@" && eventually [ -e "$tmp/waits" ] &&
        kill_keeper
}

# fresh COMMAND...: with an empty spool, and nobody left of a test that failed.
fresh()
{
    holders cwd "$tmp/cwd" | xargs -r kill -KILL
    rm -rf "$spool"
    mkdir "$spool"
    "$@"
}

seq 1 200000 >"$tmp/big" # more than a FIFO holds
echo 'a small job' >"$tmp/small"
