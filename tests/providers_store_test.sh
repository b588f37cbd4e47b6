#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# npjob-store: a file that appears when the job is whole.
# usage: providers_store_test.sh FOLDER_OF_THE_PROVIDERS [SHELL]
. "$(dirname "$(realpath "$0")")/providers_support.sh"

store_whole()
{
    add store --job 'a job' --suffix .ps && put "$tmp/big" && [ -z "$(ls "$spool")" ] && [ "$(stat -c %a "$spool/.npjob")" = 700 ] &&
        run store schedule --id "$id" && cmp "$tmp/big" "$spool/a_job.ps" && left a_job.ps
}

# Nobody else may read it, and a name that has been used often costs no process for each time.
store_many_of_one_name()
{
    mkdir "$tmp/numbers" && (cd "$tmp/numbers" && : >job && seq -f 'job-%.0f' 2 20000 | xargs touch) && mv "$tmp/numbers"/* "$spool" && rmdir "$tmp/numbers" || return
    (umask 0 && add store && put "$tmp/small" && timeout 10 "$shell" -c 'cd "$0" && exec "$@"' "$tmp/cwd" "$shell" "$providers/npjob-store" schedule --folder "$spool" --id "$id") &&
        cmp "$tmp/small" "$spool/job-20001" && [ "$(stat -c %a "$spool/job-20001")" = 600 ] && [ "$(ls "$spool" | wc -l)" -eq 20001 ] &&
        eventually nobody && no_jobs
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

# Nor that it is to be printed.
store_no_room_to_ask()
{
    add store && put "$tmp/small" && eventually [ -e "$spool/.npjob/$id/whole" ] && ln -s /nowhere/schedule "$spool/.npjob/$id/schedule" &&
        refused 1 'cannot write to' run store schedule --id "$id" && run store abandon --id "$id" && left ''
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

# The disk takes its time: whoever abandons the job does not wait for it to be taken back, which it is all the same.
store_abandoned_slowly()
{
    mkdir -p "$tmp/idle" && rm -f "$tmp/go" && printf '#!/bin/sh\n[ -f "$1" ] || until [ -e "%s" ]; do sleep 0.1; done\n' "$tmp/go" >"$tmp/idle/sync" &&
        chmod +x "$tmp/idle/sync" && PATH=$tmp/idle:$PATH schedule_unnoticed && eventually [ -e "$spool/job" ] &&
        run store abandon --id "$id" && touch "$tmp/go" && left ''
}

# Nor is it taken for printed then, not for a moment.
store_abandoned_while_it_is_synced()
{
    rm -f "$tmp/told" "$tmp/go" "$tmp/linked"
    tools sync "[ -d \"\$1\" ] || { : >\"$tmp/told\"; until [ -e \"$tmp/go\" ]; do sleep 0.1; done; }" link ": >\"$tmp/linked\"" &&
        PATH=$tmp/tools:$PATH schedule_unnoticed && eventually [ -e "$tmp/told" ] && touch "$spool/.npjob/$id/abandon" "$tmp/go" &&
        left '' && [ ! -e "$tmp/linked" ]
}

# It was made, and its keeper killed before it could say so.
store_keeper_killed_as_it_was_made()
{
    # shellcheck disable=SC2016
    tools sync '[ -f "$1" ] || kill -KILL $PPID' && PATH=$tmp/tools:$PATH add store && put "$tmp/small" &&
        refused 1 "the keeper of job $id has died" run store schedule --id "$id" && [ -e "$spool/job" ] &&
        run store abandon --id "$id" && left ''
}

# Whoever reads the folder takes away the file that has the name, just now.
store_name_comes_free()
{
    rm -f "$tmp/told"
    tools link "[ -e \"$tmp/told\" ] || { : >\"$tmp/told\"; exit 1; }" && PATH=$tmp/tools:$PATH add store && put "$tmp/small" &&
        run store schedule --id "$id" && [ -e "$tmp/told" ] && cmp "$tmp/small" "$spool/job" && left job
}

# But nothing else that has come to be called so.
store_abandoned_later()
{
    printed_unnoticed && rm "$spool/job" && echo mine >"$spool/job" && run store abandon --id "$id" && [ "$(cat "$spool/job")" = mine ] && left job
}

printed_unnoticed()
{
    schedule_unnoticed && eventually [ -e "$spool/.npjob/$id/printed" ]
}

schedule_unnoticed()
{
    local keeper
    add store && put "$tmp/small" && eventually [ -e "$spool/.npjob/$id/whole" ] &&
        read -r keeper <"$spool/.npjob/$id/keeper" && touch "$spool/.npjob/$id/schedule" && kill -USR1 "$keeper"
}

# The next job clears away what a keeper that was killed has left.
store_keeper_killed()
{
    add store && put "$tmp/small" && eventually [ -e "$spool/.npjob/$id/whole" ] &&
        kill_keeper && refused 1 "the keeper of job $id has died" run store schedule --id "$id" && add store && put /dev/null &&
        run store schedule --id "$id" && left job
}

# When it had printed the job: that stays printed.
store_keeper_killed_too_late()
{
    printed_unnoticed && kill_keeper &&
        run store schedule --id "$id" && add store && run store abandon --id "$id" && left job
}

# Before all of the job has come.
store_keeper_killed_midway()
{
    add store && exec 7>"$pipe" && echo begun >&7 && eventually [ -s "$spool/.npjob/$id/part" ] &&
        kill_keeper && refused 1 "the keeper of job $id has died" run store schedule --id "$id" && exec 7>&- && run store abandon --id "$id" && left ''
}

# Before anybody has opened the pipe.
store_keeper_killed_unopened()
{
    add_and_lose_keeper store && run store abandon --id "$id" && left '' &&
        add_and_lose_keeper store && add store && put "$tmp/small" && run store schedule --id "$id" && left job
}

# One that was killed does not say what it has kept. Stopped first, as the shell would tell of its cat.
store_copier_killed()
{
    local readers
    add store --wait 4 && exec 7>"$pipe" && echo begun >&7 && eventually [ -s "$spool/.npjob/$id/part" ] &&
        mapfile -t readers < <(holders fd/0 "$pipe") && kill -STOP "${readers[@]}" && kill -KILL "${readers[@]}" && exec 7>&- &&
        refused 1 'could not be kept' run store schedule --id "$id" && left ''
}

store_terminated()
{
    local keeper
    add store && exec 7>"$pipe" && cat "$tmp/big" >&7 && read -r keeper <"$spool/.npjob/$id/keeper" &&
        kill -TERM "$keeper" && eventually no_jobs && exec 7>&- && left ''
}

# Whoever tries it in a terminal may close that.
store_hung_up()
{
    local keeper
    add store && read -r keeper <"$spool/.npjob/$id/keeper" && kill -HUP "$keeper" && put "$tmp/small" && run store schedule --id "$id" && left job
}

# However long the printing takes, there is as much time to say that it has been seen.
store_waits_anew()
{
    # shellcheck disable=SC2016
    mkdir -p "$spool/7/claim" && touch "$spool/7/whole" "$spool/7/schedule" && "$shell" -c '
        . "$0/npjob-provider.sh"
        state=$1 patience=3
        begin_job() { :; }
        copy_pipe() { :; }
        schedule_job() { waited=100; }
        abandon_job() { echo "$dozed" >"$state.dozed"; }
        doze()
        {
            dozed=$((${dozed-0} + 1))
            waited=$((waited + 1))
        }
        keep' "$providers" "$spool/7" && [ "$(cat "$spool/7.dozed")" -eq 3 ]
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

# Where nobody may write, where it may not itself (root may everywhere, but for this), and where it does not work now.
store_no_folder()
{
    local bound=()
    [ "$(id -u)" -ne 0 ] || bound=(setpriv --bounding-set=-dac_override)
    echo mine >"$spool/.npjob" && refused 77 "cannot write to $spool" run store addjob && rm "$spool/.npjob" &&
        mkdir -m 500 "$spool/.npjob" &&
        refused 77 "cannot write to $spool/.npjob" "${bound[@]}" "$shell" "$providers/npjob-store" addjob --folder "$spool" &&
        chmod 700 "$spool/.npjob" && tools mkdir '[ "$1" = -m ] || exit 1' && PATH=$tmp/tools:$PATH refused 75 "cannot write to $spool" run store addjob
}

# A folder that the shell finds by CDPATH it also names.
store_cdpath()
{
    local CDPATH=$tmp
    export CDPATH
    (cd "$tmp" && refused 1 'there is no job 7' "$shell" "$providers/npjob-store" schedule --folder 'a spool' --id 7)
}

# The first two jobs come at one time.
store_folder_made_by_another()
{
    mkdir -p "$tmp/twice" && printf '#!/bin/sh\n[ "$1" != -m ] || %s "$@"\nexec %s "$@"\n' "$(command -v mkdir)" "$(command -v mkdir)" >"$tmp/twice/mkdir" &&
        chmod +x "$tmp/twice/mkdir" && PATH=$tmp/twice:$PATH add store && run store abandon --id "$id" && left ''
}

# The number of its process is taken, by a job of that process.
store_number_is_taken()
{
    local said
    # shellcheck disable=SC2016
    said=$(cd "$tmp/cwd" && "$shell" -c 'mkdir -p "$1/.npjob/$$" && exec "$0" "$2" addjob --folder "$1"' "$shell" "$spool" "$providers/npjob-store") ||
        return
    pipe=$(sed -n 1p <<<"$said") id=$(sed -n 2p <<<"$said")
    rmdir "$spool/.npjob/$((id - 4194304))" && put "$tmp/small" && run store schedule --id "$id" && cmp "$tmp/small" "$spool/job" && left job
}

# All numbers of its process are taken.
store_no_number_is_left()
{
    # shellcheck disable=SC2016
    refused 75 'there are too many jobs' "$shell" -c 'mkdir "$1/.npjob" && cd "$1/.npjob" && id=$$
        while [ "$id" -lt 4290772992 ]; do
            names="${names-} $id"
            id=$((id + 4194304))
        done
        mkdir $names && exec "$0" "$2" addjob --folder "$1"' "$shell" "$spool" "$providers/npjob-store"
}

# An addjob that cannot go on, or is killed, leaves nothing.
store_half_made()
{
    local said=
    mkdir -p "$tmp/half" && printf '#!/bin/sh\nexit 1\n' >"$tmp/half/mkfifo" && chmod +x "$tmp/half/mkfifo" &&
        PATH=$tmp/half:$PATH refused 75 "cannot write to $spool" run store addjob && left '' &&
        printf '#!/bin/sh\nkill -TERM $PPID\n' >"$tmp/half/mkfifo" && ! PATH=$tmp/half:$PATH run store addjob && left '' &&
        said=$(trap '' XFSZ && ulimit -f 0 && run store addjob 2>&1)
    [ $? -eq 75 ] && [ "$said" = "npjob-store: cannot write to $spool" ] && left ''
}

# An addjob that ends just as another one looks for it has left a keeper, and a job.
store_swept_while_it_is_made()
{
    local second=$spool/.npjob/$((4194304 + $$)) # of one that lives
    mkdir -p "$spool/.npjob/4000000" "$spool/.npjob/4000001" "$spool/.npjob/7.gone/kept" &&
        : >"$spool/.npjob/4000001/keeper" || return # killed as it wrote down its keeper
    "$shell" -c '
        . "$0/npjob-provider.sh"
        jobs=$1
        alive()
        {
            [ "$1" != 4000000 ] || echo $$ >"$jobs/4000000/keeper"
            [ "$1" = $$ ]
        }
        sweep' "$providers" "$spool/.npjob" && [ -d "$spool/.npjob/4000000" ] && [ ! -e "$spool/.npjob/4000001" ] && [ ! -e "$spool/.npjob/7.gone" ] && mkdir "$second" && add store && rmdir "$second" && put /dev/null &&
        [ ! -e "$spool/.npjob/4000000" ] && run store abandon --id "$id" && left ''
}

for name in $(compgen -A function | grep '^store_' | grep -v -e _named$); do
    check "npjob-store: ${name#store_}" fresh "$name"
done
finish
