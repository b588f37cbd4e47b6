#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The example providers, alone: a FIFO is written to as npjobd would do it, and the job scheduled, abandoned or forgotten.
# usage: providers_test.sh FOLDER_OF_THE_PROVIDERS [SHELL]
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

# addjob, as npjobd reads it: to the end of its output, which the keeper must not hold open. Sets $pipe and $id.
add() # PROVIDER ARGUMENT...
{
    local said
    said=$(run "$1" addjob "${@:2}") || return
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

nobody()
{
    ! readlink /proc/[0-9]*/cwd | grep -qxF "$tmp/cwd"
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

# fresh COMMAND...: with an empty spool.
fresh()
{
    rm -rf "$spool"
    mkdir "$spool"
    "$@"
}

seq 1 200000 >"$tmp/big" # more than a FIFO holds
echo 'a small job' >"$tmp/small"

# ------------------------------------------------------------------------------------------------------- npjob-store

store_whole()
{
    add store --job 'a job' --suffix .ps && put "$tmp/big" && [ -z "$(ls "$spool")" ] && [ "$(stat -c %a "$spool/.npjob")" = 700 ] &&
        run store schedule --id "$id" && cmp "$tmp/big" "$spool/a_job.ps" && left a_job.ps
}

store_empty()
{
    add store && put /dev/null && run store schedule --id "$id" && [ -f "$spool/job" ] && [ ! -s "$spool/job" ] && left job
}

store_abandoned()
{
    add store && put "$tmp/big" && run store abandon --id "$id" && left ''
}

# As npjobd never would: the pipe is still open.
store_abandoned_midway()
{
    add store && exec 7>"$pipe" && cat "$tmp/big" >&7 && run store abandon --id "$id" && no_jobs && exec 7>&- && left ''
}

store_abandoned_unopened()
{
    add store && run store abandon --id "$id" && left ''
}

store_never_connected()
{
    add store --wait 1 && left '' && refused 1 "there is no job $id" run store schedule --id "$id" &&
        run store abandon --id "$id"
}

store_no_verdict()
{
    add store --wait 4 && put "$tmp/big" && left ''
}

# A writer that takes its time is no writer that does not come.
store_slow()
{
    add store --wait 4 && mkfifo "$tmp/slowly" && {
        (
            echo one
            sleep 6
            echo two
        ) >"$tmp/slowly" &
    } && put "$tmp/slowly" && run store schedule --id "$id" && [ "$(cat "$spool/job")" = $'one\ntwo' ] && left job
}

store_two_at_once()
{
    local first first_id
    add store --job same --suffix .ps || return
    first=$pipe first_id=$id
    add store --job same --suffix .ps || return
    [ "$first_id" != "$id" ] && exec 7>"$first" 8>"$pipe" && cat "$tmp/big" >&8 && cat "$tmp/small" >&7 && exec 8>&- &&
        run store schedule --id "$id" && cmp "$tmp/big" "$spool/same.ps" && exec 7>&- &&
        run store schedule --id "$first_id" && cmp "$tmp/small" "$spool/same-2.ps" && left same-2.ps same.ps
}

store_overwrites_nothing()
{
    echo mine >"$spool/x" && mkdir "$spool/x-2" && ln -s nowhere "$spool/x-3" && add store --job x &&
        put "$tmp/small" && run store schedule --id "$id" && [ "$(cat "$spool/x")" = mine ] &&
        [ -z "$(ls "$spool/x-2")" ] && [ "$(readlink "$spool/x-3")" = nowhere ] && cmp "$tmp/small" "$spool/x-4" &&
        left x x-2 x-3 x-4
}

store_named() # JOB FILE
{
    add store --job "$1" && put /dev/null && run store schedule --id "$id" && left "$2"
}

store_names()
{
    fresh store_named '../../etc/passwd' _._.._etc_passwd && fresh store_named .hidden _hidden &&
        fresh store_named -rf _rf && fresh store_named $'a\nb"$(id)`' a_b___id__ && fresh store_named 'Größe 1' Gr____e_1 &&
        fresh store_named "$(printf '%0300d' 0)" "$(printf '%0100d' 0)"
}

# The disk is full, as far as the copier can tell.
store_no_room()
{
    (ulimit -f 16 && add store && echo "$id" >"$tmp/job") || return
    read -r id <"$tmp/job"
    pipe=$spool/.npjob/$id/pipe
    put "$tmp/big"
    refused 1 'npjob-store: ' run store schedule --id "$id" && run store abandon --id "$id" && left ''
}

# The disk is full when all was kept: nothing more can be written than names. It is printed, and once.
store_no_room_for_more()
{
    local keeper
    (trap '' XFSZ && add store && echo "$id" >"$tmp/job") || return
    read -r id <"$tmp/job"
    pipe=$spool/.npjob/$id/pipe
    put "$tmp/small" && eventually [ -e "$spool/.npjob/$id/whole" ] && read -r keeper <"$spool/.npjob/$id/keeper" &&
        prlimit --pid "$keeper" --fsize=0:0 && run store schedule --id "$id" && cmp "$tmp/small" "$spool/job" && left job
}

# Not even that: it is not said to be printed, and so it is abandoned, with all that was made of it.
store_no_room_for_names()
{
    add store && put "$tmp/small" && eventually [ -e "$spool/.npjob/$id/whole" ] &&
        ln -s /nowhere/printed "$spool/.npjob/$id/printed" || return
    run store schedule --id "$id" 2>"$tmp/schedule.err" &
    local scheduling=$!
    eventually [ -e "$spool/job" ] && sleep 2.5 && run store abandon --id "$id" && ! wait "$scheduling" && left ''
}

# Nor that the job is done: its keeper takes back what it has printed, and so it must not be called printed.
store_no_room_for_the_last_name()
{
    add store --wait 2 && put "$tmp/small" && eventually [ -e "$spool/.npjob/$id/whole" ] && ln -s /nowhere/done "$spool/.npjob/$id/done" &&
        refused 1 'cannot write to' run store schedule --id "$id" && left ''
}

# The disk takes no such name: that is said, and not tried for ever.
store_no_such_name()
{
    add store --suffix "$(printf '%0300d' 0)" && put "$tmp/small" &&
        refused 1 "npjob-store: cannot make $spool/job" run store schedule --id "$id" && run store abandon --id "$id" && left ''
}

# not_synced TEST: the disk says of what the test holds of, only in the end, that it has not kept it.
not_synced()
{
    mkdir -p "$tmp/bad" && printf '#!/bin/sh\n! %s || { echo "input/output error" >&2; exit 1; }\n' "$1" >"$tmp/bad/sync" &&
        chmod +x "$tmp/bad/sync" && PATH=$tmp/bad:$PATH add store && put "$tmp/small" &&
        refused 1 'npjob-store: input/output error' run store schedule --id "$id" && run store abandon --id "$id" && left ''
}

store_no_sync()
{
    not_synced '[ -f "$1" ]'
}

# Nor the name: what might be lost with the power is not called printed.
store_no_sync_of_the_folder()
{
    not_synced '[ -d "$1" ]'
}

# Its schedule command was killed before it could say that the job was printed, and so the job is abandoned.
store_abandoned_too_late()
{
    printed_unnoticed && run store abandon --id "$id" && left ''
}

# But nothing else that has come to be called so.
store_abandoned_later()
{
    printed_unnoticed && rm "$spool/job" && echo mine >"$spool/job" && run store abandon --id "$id" && [ "$(cat "$spool/job")" = mine ] && left job
}

printed_unnoticed()
{
    local keeper
    add store && put "$tmp/small" && eventually [ -e "$spool/.npjob/$id/whole" ] &&
        read -r keeper <"$spool/.npjob/$id/keeper" && touch "$spool/.npjob/$id/schedule" && kill -USR1 "$keeper" &&
        eventually [ -e "$spool/.npjob/$id/printed" ]
}

# The next job clears away what a keeper that was killed has left.
store_keeper_killed()
{
    local keeper
    add store && put "$tmp/small" && read -r keeper <"$spool/.npjob/$id/keeper" && kill -KILL "$keeper" &&
        refused 1 "the keeper of job $id has died" run store schedule --id "$id" && add store && put /dev/null &&
        run store schedule --id "$id" && left job
}

# One that was killed does not say what it has kept.
store_copier_killed()
{
    local link
    add store --wait 4 && exec 7>"$pipe" && echo begun >&7 && eventually [ -s "$spool/.npjob/$id/part" ] || return
    for link in /proc/[0-9]*/fd/0; do
        [ "$(readlink "$link")" != "$pipe" ] || kill -KILL "$(cut -d / -f 3 <<<"$link")"
    done
    exec 7>&-
    refused 1 'npjob-store: ' run store schedule --id "$id" && left ''
}

store_terminated()
{
    local keeper
    add store && exec 7>"$pipe" && cat "$tmp/big" >&7 && read -r keeper <"$spool/.npjob/$id/keeper" &&
        kill -TERM "$keeper" && eventually no_jobs && exec 7>&- && left ''
}

store_wrong_use()
{
    refused 2 'see npjob-store --help' run store print && refused 2 'unknown argument "--colour"; see npjob-store --help' run store addjob --colour &&
        refused 2 '--job needs a value' run store addjob --job && refused 2 '--wait takes' run store addjob --wait 1m && refused 2 '--wait takes' run store addjob --wait 99999999999999999999 &&
        refused 2 'nothing may stand behind --' run store addjob -- lp && refused 2 'no / in a --suffix' run store addjob --suffix a/b &&
        refused 2 '--id takes' run store schedule --id ../x && refused 2 '--id takes' run store abandon &&
        refused 1 'there is no job 7' run store schedule --id 7 && run store abandon --id 7 &&
        refused 2 '--folder is missing' "$shell" "$providers/npjob-store" addjob &&
        refused 77 'is not there' "$shell" "$providers/npjob-store" addjob --folder "$tmp/nowhere" &&
        mkdir -p "$tmp/a"$'\n'b && refused 2 'there is a line end' "$shell" "$providers/npjob-store" addjob --folder "$tmp/a"$'\n'b &&
        "$shell" "$providers/npjob-store" --help | grep -q '^usage: npjob-store addjob' && left ''
}

# Where nobody may write, and where it does not work now.
store_no_folder()
{
    echo mine >"$spool/.npjob" && refused 77 "cannot write to $spool" run store addjob && rm "$spool/.npjob" &&
        ln -s /sys "$spool/.npjob" && refused 75 "cannot write to $spool" run store addjob
}

# An addjob that ends just as another one looks for it has left a keeper, and a job.
store_swept_while_it_is_made()
{
    local second=$spool/.npjob/$((4194304 + $$)) # of one that lives
    mkdir -p "$spool/.npjob/4000000" || return
    "$shell" -c '
        . "$0/npjob-provider.sh"
        jobs=$1
        alive()
        {
            [ "$1" != 4000000 ] || echo $$ >"$jobs/4000000/keeper"
            [ "$1" = $$ ]
        }
        sweep' "$providers" "$spool/.npjob" && [ -d "$spool/.npjob/4000000" ] && mkdir "$second" && add store && rmdir "$second" && put /dev/null &&
        [ ! -e "$spool/.npjob/4000000" ] && run store abandon --id "$id" && left ''
}

# ------------------------------------------------------------------------------------------------------- npjob-filter

# A filter that says when it sees the end of its input, and who it is.
cat >"$tmp/filter" <<'END'
#!/bin/sh
echo $$ >"$1.pid"
cat >"$1.got"
echo end >"$1.end"
END
# One that cannot be asked to go, with a child that cannot either.
cat >"$tmp/stubborn" <<'END'
#!/bin/sh
trap '' TERM
sleep 300 &
exec "$(dirname "$0")/filter" "$@"
END
chmod +x "$tmp/filter" "$tmp/stubborn"

# got NAME FILE: the filter has received all of this.
got()
{
    cmp -s "$2" "$spool/$1.got"
}

filter_whole()
{
    add filter -- "$tmp/filter" "$spool/a" && put "$tmp/big" && eventually got a "$tmp/big" && sleep 1.5 &&
        [ ! -e "$spool/a.end" ] && run filter schedule --id "$id" && [ -e "$spool/a.end" ] && got a "$tmp/big" &&
        left a.end a.got a.pid
}

filter_abandoned() # FILTER
{
    add filter -- "$tmp/$1" "$spool/a" && put "$tmp/big" && eventually got a "$tmp/big" &&
        run filter abandon --id "$id" && left a.got a.pid
}

# slow COMMAND SECONDS: a command of that name in $tmp/slow that takes its time before it begins.
slow()
{
    mkdir -p "$tmp/slow"
    printf '#!/bin/sh\nsleep %s\nexec %s "$@"\n' "$2" "$(command -v "$1")" >"$tmp/slow/$1"
    chmod +x "$tmp/slow/$1"
}

# Before the filter has come to run; it could come to run while the job is being removed.
filter_abandoned_at_once()
{
    slow setsid 1 && slow rm 2 && PATH=$tmp/slow:$PATH add filter -- "$tmp/filter" "$spool/a" && put "$tmp/small" &&
        run filter abandon --id "$id" && eventually nobody && no_jobs && [ ! -e "$spool/a.end" ]
}

filter_never_connected()
{
    add filter --wait 1 -- "$tmp/filter" "$spool/a" && eventually [ -s "$spool/a.pid" ] && left a.got a.pid && [ ! -s "$spool/a.got" ]
}

filter_no_verdict()
{
    add filter --wait 4 -- "$tmp/filter" "$spool/a" && put "$tmp/small" && left a.got a.pid
}

filter_two_at_once()
{
    local first first_id
    add filter -- "$tmp/filter" "$spool/a" || return
    first=$pipe first_id=$id
    add filter -- "$tmp/filter" "$spool/b" || return
    put "$tmp/big" "$first" && put "$tmp/small" && run filter schedule --id "$id" && got b "$tmp/small" &&
        [ ! -e "$spool/a.end" ] && run filter abandon --id "$first_id" && left a.got a.pid b.end b.got b.pid
}

filter_arguments()
{
    add filter -- sh -c 'cat >/dev/null; printf "<%s>" "$@" >"$0"' "$spool/arguments" 'a  b' '' '$x `id` "*"' --folder -- &&
        put "$tmp/small" && run filter schedule --id "$id" &&
        [ "$(cat "$spool/arguments")" = '<a  b><><$x `id` "*"><--folder><-->' ] && left arguments
}

filter_fails()
{
    add filter -- sh -c 'cat >/dev/null; echo "one thing" >&2; echo "out of paper" >&2; exit 3' && put "$tmp/big" &&
        refused 1 'npjob-filter: out of paper' run filter schedule --id "$id" && eventually [ -e "$spool/.npjob/$id/heard" ] &&
        run filter abandon --id "$id" && left ''
}

# Nothing more can be written than names; what it says is heard all the same, and lost.
filter_no_room()
{
    mkdir -p "$tmp/full"
    printf '#!/bin/sh\nexec prlimit --fsize=0:0 %s "$@"\n' "$(command -v setsid)" >"$tmp/full/setsid"
    chmod +x "$tmp/full/setsid"
    (trap '' XFSZ && PATH=$tmp/full:$PATH add filter -- sh -c 'cat >/dev/null; head -c 200000 /dev/zero >&2' && echo "$id" >"$tmp/job") || return
    read -r id <"$tmp/job"
    pipe=$spool/.npjob/$id/pipe
    put "$tmp/big" && run filter schedule --id "$id" && left ''
}

# What it says does not fill the disk, and the end of it is known.
filter_says_much()
{
    add filter -- sh -c 'cat >/dev/null; head -c 8000000 /dev/zero >&2; du -sk "$0" >"$0/size"; echo >&2; echo "out of paper" >&2; exit 3' "$spool" &&
        put "$tmp/small" && refused 1 'npjob-filter: out of paper' run filter schedule --id "$id" &&
        [ "$(cut -f 1 "$spool/size")" -lt 500 ] && run filter abandon --id "$id" && left size
}

# Nobody waits for the end of whom it leaves behind, who can still speak.
filter_leaves_a_child()
{
    add filter -- sh -c 'cat >/dev/null; sleep 100 & echo $! >"$0"; echo "out of paper" >&2; exit 3' "$spool/child" && put "$tmp/small" &&
        refused 1 'npjob-filter: out of paper' run filter schedule --id "$id" && kill "$(cat "$spool/child")" &&
        run filter abandon --id "$id" && left child && rm "$spool/child" &&
        add filter -- sh -c '(sleep 5; echo more >&2; touch "$0") & cat >/dev/null' "$spool/child" &&
        put "$tmp/small" && run filter schedule --id "$id" && [ ! -e "$spool/child" ] && left child
}

filter_fails_silently()
{
    add filter -- sh -c 'cat >/dev/null; exit 1' && put "$tmp/big" &&
        refused 1 "job $id failed, with exit code 1" run filter schedule --id "$id" && run filter abandon --id "$id" && left ''
}

# In the middle of the job: the writer is told, and so is who schedules it all the same.
filter_dies() # COMMAND TEXT
{
    add filter -- sh -c "$1" && ! put "$tmp/big" && refused 1 "$2" run filter schedule --id "$id" &&
        run filter abandon --id "$id" && left ''
}

# What it leaves in the pipe was taken from the writer, who cannot know.
filter_reads_too_little()
{
    local command
    for command in 'sleep 0.3' 'head -c 1 >/dev/null' 'head -c 1 >/dev/null; sleep 2'; do
        add filter -- sh -c "$command" && put "$tmp/small" &&
            refused 1 'has not read all of the job' run filter schedule --id "$id" && run filter abandon --id "$id" && left '' || return
    done
}

filter_is_missing()
{
    add filter -- "$tmp/no-such-filter" && ! put "$tmp/big" &&
        refused 1 'no-such-filter' run filter schedule --id "$id" && run filter abandon --id "$id" && left ''
}

# Abandoned while it is being scheduled, as it does not come to an end.
filter_hangs()
{
    add filter -- sh -c 'cat >/dev/null; sleep 300' && put "$tmp/small" || return
    run filter schedule --id "$id" 2>"$tmp/schedule.err" &
    local scheduling=$!
    eventually [ -e "$spool/.npjob/$id/schedule" ] && run filter abandon --id "$id" && ! wait "$scheduling" && left ''
}

filter_has_no_setsid()
{
    local tool
    mkdir -p "$tmp/few"
    for tool in dirname "$shell" timeout; do ln -sf "$(command -v "$tool")" "$tmp/few/$tool"; done
    refused 1 'there is no setsid here' eval 'PATH=$tmp/few run filter addjob -- true' && left ''
}

filter_wrong_use()
{
    refused 2 'there is no command behind --' run filter addjob && refused 1 'there is no job 7' run filter schedule --id 7 &&
        run filter abandon --id 7 && left ''
}

for name in $(compgen -A function | grep '^store_' | grep -v -e _named$); do
    check "npjob-store: ${name#store_}" fresh "$name"
done
check 'npjob-filter: whole' fresh filter_whole
check 'npjob-filter: abandoned' fresh filter_abandoned filter
check 'npjob-filter: abandoned, and does not want to go' fresh filter_abandoned stubborn
for name in abandoned_at_once never_connected no_verdict two_at_once arguments fails no_room says_much leaves_a_child fails_silently reads_too_little is_missing hangs has_no_setsid wrong_use; do
    check "npjob-filter: $name" fresh "filter_$name"
done
check 'npjob-filter: dies' fresh filter_dies 'head -c 100 >/dev/null; echo gone >&2; exit 1' 'npjob-filter: gone'
check 'npjob-filter: is killed' fresh filter_dies 'head -c 100 >/dev/null; kill -KILL $$' 'npjob-filter: Killed'
check 'npjob-filter: is killed with all beside it' fresh filter_dies 'head -c 100 >/dev/null; kill -KILL 0' 'could not be kept'
check 'npjob-filter: has had enough' fresh filter_dies 'head -c 100 >/dev/null' 'could not be kept'
finish
