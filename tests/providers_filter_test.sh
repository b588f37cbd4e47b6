#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# npjob-filter: a command that sees the end of its input when the job is whole.
# usage: providers_filter_test.sh FOLDER_OF_THE_PROVIDERS [SHELL]
. "$(dirname "$(realpath "$0")")/providers_support.sh"

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

# fails TEXT [THROUGH]: who schedules the job is told that, and the job is then abandoned.
fails()
{
    refused 1 "$1" ${2:+"$2"} run filter schedule --id "$id" && run filter abandon --id "$id"
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

# Nor does any other see it whose input is the output of one that is killed, or who is in a process group of its own.
filter_is_a_pipeline()
{
    # shellcheck disable=SC2016
    add filter -- sh -c 'cat | { trap "" TERM; cat >"$0.got"; : >"$0.end"; }' "$spool/a" && put "$tmp/small" &&
        eventually got a "$tmp/small" && run filter abandon --id "$id" && left a.got
}

filter_has_its_own_group()
{
    # shellcheck disable=SC2016
    add filter -- timeout 60 sh -c 'cat >"$0.got"; : >"$0.end"' "$spool/a" && put "$tmp/small" &&
        eventually got a "$tmp/small" && run filter abandon --id "$id" && left a.got
}

# The keeper can make no process any more, as where a limit is reached, which root has none. (What bash does then, no trap sees.)
filter_keeper_makes_no_process()
{
    local keeper as=() shell=$shell providers=$providers
    if [ "$(id -u)" -eq 0 ]; then # as a user who may not look into the folder of this tree, it may be
        as=(setpriv --reuid 54321 --clear-groups)
        shell=$tmp/unprivileged
        printf '#!/bin/sh\nexec %s sh "$@"\n' "${as[*]}" >"$shell" && cp -r "$providers" "$tmp/providers" &&
            chmod -R a+rX "$shell" "$tmp/providers" && chmod 755 "$shell" "$tmp" && chown 54321 "$spool" || return
        providers=$tmp/providers
    fi
    # shellcheck disable=SC2016
    add filter -- sh -c 'cat >"$0.got"; : >"$0.end"' "$spool/a" && put "$tmp/small" && eventually got a "$tmp/small" &&
        read -r keeper <"$spool/.npjob/$id/keeper" && "${as[@]}" prlimit --pid "$keeper" --nproc=1:1 && eventually is_dead "$keeper" &&
        run filter abandon --id "$id" && left a.got
}

# Before the filter has come to run; it could come to run while the job is being removed.
filter_abandoned_at_once()
{
    tools setsid 'sleep 1' rm 'sleep 2' && PATH=$tmp/tools:$PATH add filter -- "$tmp/filter" "$spool/a" && put "$tmp/small" &&
        run filter abandon --id "$id" && eventually nobody && no_jobs && [ ! -e "$spool/a.end" ]
}

# It never comes to run: there are too many processes, say.
filter_cannot_run()
{
    tools setsid 'exit 1' && PATH=$tmp/tools:$PATH add filter -- true && eventually nobody &&
        fails "the keeper of job $id has died" && left ''
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

# What it says need not be of the encoding in which it is read; behind 4 KiB it may begin within a letter.
filter_says() # COMMAND WORD
{
    add filter -- sh -c "cat >/dev/null; $1 >&2; exit 3" && put "$tmp/small" &&
        fails "$2" plainly && left ''
}

# Its standard error in ASCII.
plainly() # COMMAND...
{
    local code=0
    "$@" 2>"$tmp/said" || code=$?
    LC_ALL=C tr -c '[:print:]\n' _ <"$tmp/said" >&2
    return $code
}

filter_says_what_it_likes()
{
    local LC_ALL=C.UTF-8
    export LC_ALL
    filter_says 'printf "paper caf\351 is out\n"' 'npjob-filter: paper caf_ is out' &&
        filter_says 'printf "out of\0 paper\n"' 'npjob-filter: out of paper' &&
        filter_says 'printf "%05000dout of paper\n" 0 | sed "s/0/ö/g"' 'out of paper'
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
        fails "job $id failed, with exit code 1" && left ''
}

# In the middle of the job: the writer is told, and so is who schedules it all the same.
filter_dies() # COMMAND TEXT
{
    add filter -- sh -c "$1" && ! put "$tmp/big" && fails "$2" && left ''
}

# It closes its input and lives on: the writer is told at once.
filter_closes_its_input()
{
    local code=0
    add filter -- sh -c 'exec <&-; echo "no more" >&2; exec sleep 300' || return
    put "$tmp/big" || code=$?
    [ "$code" -ne 0 ] && [ "$code" -ne 124 ] && fails 'npjob-filter: no more' && left ''
}

# What it leaves in the pipe was taken from the writer, who cannot know.
filter_reads_too_little()
{
    local command
    for command in true 'sleep 0.3' 'head -c 1 >/dev/null' 'head -c 1 >/dev/null; sleep 2'; do
        add filter -- sh -c "$command" && put "$tmp/small" &&
            fails 'has not read all of the job' && left '' || return
    done
}

filter_is_missing()
{
    add filter -- "$tmp/no-such-filter" && ! put "$tmp/big" &&
        fails 'no-such-filter' && left ''
}

# Abandoned while it is being scheduled, as it does not come to an end.
filter_hangs()
{
    add filter -- sh -c 'cat >/dev/null; sleep 300' && put "$tmp/small" || return
    run filter schedule --id "$id" 2>"$tmp/schedule.err" &
    local scheduling=$!
    eventually [ -e "$spool/.npjob/$id/schedule" ] && run filter abandon --id "$id" && ! wait "$scheduling" && left ''
}

# Whoever waits for it hears that nobody will tell.
filter_keeper_killed()
{
    add filter -- sh -c 'cat >/dev/null; echo $$ >"$0"; exec sleep 100' "$spool/pid" && put "$tmp/small" || return
    refused 1 "the keeper of job $id has died" run filter schedule --id "$id" &
    local scheduling=$!
    eventually [ -s "$spool/pid" ] && eventually [ -e "$spool/.npjob/$id/schedule" ] && kill_keeper && wait "$scheduling" && kill "$(cat "$spool/pid")" && eventually nobody &&
        run filter abandon --id "$id" && left pid
}

# With the keeper dead nobody knows the group, whatever stands in the environment. The command sees an end, as nobody has its
# input open any more.
filter_takes_no_group_from_outside()
{
    local stranger
    setsid sleep 100 &
    stranger=$!
    # shellcheck disable=SC2016
    add_and_lose_keeper filter -- sh -c 'cat; : >"$0"' "$spool/end" && filter=$stranger run filter abandon --id "$id" &&
        kill "$stranger" && left end
}

# Nor does it come to run when it has no keeper any more, and whatever that was waiting for has its input open no longer.
filter_keeper_killed_at_once()
{
    rm -f "$tmp/go"
    # shellcheck disable=SC2016
    tools setsid "until [ -e \"$tmp/go\" ]; do sleep 0.1; done" && PATH=$tmp/tools:$PATH add filter -- sh -c ': >"$0"' "$spool/runs" &&
        eventually [ -p "$spool/.npjob/$id/says" ] && kill_keeper &&
        eventually eval '[ -z "$(holders fd/9 "$spool/.npjob/$id/input")" ]' && touch "$tmp/go" && sleep 1 && run filter abandon --id "$id" && left ''
}

# It has ended, and left a child that goes on reading: that does not see the end of half a job either.
filter_leaves_a_reader()
{
    # shellcheck disable=SC2016
    add filter -- sh -c 'exec 3<&0; (cat <&3 >"$0.got"; : >"$0.end") & exit 0' "$spool/a" && put "$tmp/small" &&
        eventually [ -e "$spool/.npjob/$id/ended" ] && eventually got a "$tmp/small" && run filter abandon --id "$id" && left a.got
}

# Whoever would tell of its end is killed.
filter_loses_its_wrapper()
{
    # shellcheck disable=SC2016
    add filter -- sh -c 'echo $PPID >"$0"; exec sleep 100' "$spool/pid" && put "$tmp/small" && eventually [ -s "$spool/pid" ] &&
        eventually [ -e "$spool/.npjob/$id/whole" ] && kill -KILL "$(cat "$spool/pid")" &&
        fails 'what waited for the command was killed' && left pid
}

# Its folder goes before it has come to run: addjob had no room to write down its keeper.
filter_folder_goes()
{
    tools setsid 'exec sleep 100' && PATH=$tmp/tools:$PATH add filter -- true && rm -rf "$spool/.npjob/$id" && left ''
}

# It goes when addjob is done, while the keeper makes its pipes.
filter_folder_goes_at_once()
{
    tools setsid 'exec sleep 100' mkfifo 'case $4 in */says)
    '"$(command -v mkfifo)"' "$@"
    until [ -e "${4%/*}/keeper" ]; do sleep 0.1; done
    rm -rf "${4%/*}"
    exit ;;
esac' && PATH=$tmp/tools:$PATH run filter addjob -- true >/dev/null && left ''
}

# Somebody has tidied up.
filter_loses_its_input()
{
    add filter -- "$tmp/filter" "$spool/a" && put "$tmp/small" && eventually got a "$tmp/small" && rm "$spool/.npjob/$id/input" &&
        fails "job $id failed" && left a.got a.pid
}

# What it says last may have an empty line behind it.
filter_says_it_with_an_empty_line()
{
    add filter -- sh -c 'cat >/dev/null; echo out of paper >&2; echo >&2; exit 3' && put "$tmp/small" &&
        fails 'npjob-filter: out of paper' && left ''
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

check 'npjob-filter: whole' fresh filter_whole
check 'npjob-filter: abandoned' fresh filter_abandoned filter
check 'npjob-filter: abandoned, and does not want to go' fresh filter_abandoned stubborn
for name in is_a_pipeline has_its_own_group abandoned_at_once cannot_run never_connected no_verdict two_at_once arguments fails no_room says_much says_what_it_likes leaves_a_child fails_silently closes_its_input reads_too_little is_missing hangs keeper_killed keeper_killed_at_once takes_no_group_from_outside leaves_a_reader loses_its_wrapper folder_goes folder_goes_at_once loses_its_input says_it_with_an_empty_line has_no_setsid wrong_use; do
    check "npjob-filter: $name" fresh "filter_$name"
done
[ "$shell" != sh ] || check 'npjob-filter: keeper_makes_no_process' fresh filter_keeper_makes_no_process
check 'npjob-filter: dies' fresh filter_dies 'head -c 100 >/dev/null; echo gone >&2; exit 1' 'npjob-filter: gone'
check 'npjob-filter: is killed' fresh filter_dies 'head -c 100 >/dev/null; kill -KILL $$' 'npjob-filter: Killed'
check 'npjob-filter: is killed with all beside it' fresh filter_dies 'head -c 100 >/dev/null; kill -KILL 0' 'could not be kept'
check 'npjob-filter: has had enough' fresh filter_dies 'head -c 100 >/dev/null' 'has not read all of the job'
finish
