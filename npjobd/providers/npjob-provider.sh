# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What npjob-store and npjob-filter share; sourced by both. They bring usage, and the functions that make the difference:
#
#   check_command  whether what stands behind -- can be run
#   begin_job      the job is made
#   copy           reads the job from standard input to its end; fails if it could not keep all of it
#   schedule_job   the job is whole: print it
#   abandon_job    the job is none: forget it. After schedule_job as well, if that came too late
#
# A job is a folder, FOLDER/.npjob/JOBID, and a process beside it, its keeper, which alone acts on the job and removes the
# folder. What is to be done and what was done stands in the folder:
#
#   pipe       the FIFO                             whole, broken  the copier has all of the job, or has ended without
#   keeper     the keeper's process                 schedule       asked of the keeper
#   claim      whoever makes it has decided whether printed, failed  what came of it
#              the pipe was opened in time          done, abandon  asked of the keeper: the end
#
# What came of something is told by the names of empty files: a disk may have no room for their content.
# SIGUSR1 only has the keeper look again; it does every second anyway.
#
# A JobId is the process that made the job, and a multiple of all processes that there can be if a job has that number.
set -u

self=${0##*/}
processes=4194304
ids=4290772992 # the largest multiple of it that is a JobId
patience=60
job=''
folder=''
id=''
suffix=''

# fail CODE TEXT: ends with one line. 75 and 77 have a meaning for npjobd: try again later; access denied.
fail()
{
    printf '%s: %s\n' "$self" "$2" >&2
    exit "$1"
}

is_number()
{
    case $1 in
    '' | *[!0-9]* | ??????????????*) return 1 ;;
    esac
}

# Reads the options; what stands behind -- is left to the caller, who gets the number of those before it in $taken.
read_options()
{
    taken=$#
    while [ $# -gt 0 ]; do
        case $1 in
        --)
            shift
            taken=$((taken - $#))
            return
            ;;
        --folder | --job | --id | --suffix | --wait)
            [ $# -ge 2 ] || fail 2 "$1 needs a value"
            case $1 in
            --folder) folder=$2 ;;
            --job) job=$2 ;;
            --id) id=$2 ;;
            --suffix) suffix=$2 ;;
            --wait) patience=$2 ;;
            esac
            shift 2
            ;;
        *) fail 2 "unknown argument \"$1\"; see $self --help" ;;
        esac
    done
}

check_options()
{
    is_number "$patience" || fail 2 '--wait takes a number of seconds'
    case $suffix in
    */*) fail 2 'there is no / in a --suffix' ;;
    esac
    [ -n "$folder" ] || fail 2 '--folder is missing'
    folder=$(CDPATH='' cd -- "$folder" 2>/dev/null && pwd -P) || fail 77 'the folder is not there, or closed'
    case $folder in
    *'
'*) fail 2 'there is a line end in the name of the folder' ;;
    esac
    jobs=$folder/.npjob
}

# The job's name as the name of a file: letters, digits, "_", "." and "-", neither of the last two in front.
clean_name()
{
    name=$(printf '%s' "$job" | LC_ALL=C tr -c 'A-Za-z0-9._-' '_' | cut -c 1-100)
    case $name in
    '') name=job ;;
    [.-]*) name=_${name#?} ;;
    esac
}

# ------------------------------------------------------------------------------------------------------- a job

# Waits a moment.
nap()
{
    sleep 0.1 2>/dev/null || sleep 1
}

# nap_while NAPS COMMAND...: as long as the command succeeds, and no longer than so many naps.
nap_while()
{
    naps=$1
    shift
    while [ "$naps" -gt 0 ] && "$@"; do
        nap
        naps=$((naps - 1))
    done
}

# A zombie is dead: the first process of a container may reap its own children only.
alive()
{
    kill -0 "$1" 2>/dev/null || return
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    case $stat in
    *') Z '*) return 1 ;;
    esac
}

# is_left JOB: whether its process has died: the keeper, or an addjob that had not come to start one.
is_left()
{
    maker=$((${1##*/} % processes))
    if [ -s "$1/keeper" ]; then
        read -r maker 2>/dev/null <"$1/keeper" || return 1
    fi
    ! alive "$maker"
}

# Removes a job that nobody keeps. Whoever waits in open() for the other end of one of its pipes would do so for ever: he
# goes on, and can make nothing in a folder that is called otherwise.
clear_away()
{
    gone=${1%.gone}.gone
    mv -T -- "$1" "$gone" 2>/dev/null
    for fifo in "$gone"/*; do
        [ ! -p "$fifo" ] || true 2>/dev/null <>"$fifo"
    done
    rm -rf -- "$1" "$gone"
}

# Removes what is left of jobs. An addjob may end between the two steps of a look, and leave a keeper: hence the second one.
sweep()
{
    for old in "$jobs"/*; do
        case $old in
        *.gone) clear_away "$old" ;; # by somebody who was killed
        *) is_number "${old##*/}" && is_left "$old" && is_left "$old" && clear_away "$old" ;;
        esac
    done
}

make_state()
{
    [ -d "$jobs" ] || mkdir -m 700 -- "$jobs" 2>/dev/null || [ -d "$jobs" ] || fail 77 "cannot write to $folder"
    [ -w "$jobs" ] || fail 77 "cannot write to $jobs"
    id=$$
    until said=$(mkdir -- "$jobs/$id" 2>&1); do
        [ -d "$jobs/$id" ] || fail 75 "cannot write to $folder: ${said##*: }"
        id=$((id + processes))
        [ "$id" -lt "$ids" ] || fail 75 'there are too many jobs'
    done
    state=$jobs/$id
}

add_job()
{
    clean_name
    sweep
    make_state
    trap 'rm -rf -- "$state"' EXIT
    trap 'exit 143' TERM INT HUP
    mkfifo -m 600 -- "$state/pipe" || fail 75 "cannot write to $folder"
    # By exec: redirecting a function would keep the old standard output open, and npjobd reads that to its end.
    {
        exec >/dev/null 2>&1
        keep "$@"
    } &
    { echo $! >"$state/keeper"; } 2>/dev/null || fail 75 "cannot write to $folder" # the keeper sees the folder go, and goes
    trap - EXIT TERM INT HUP
    printf '%s\n%s\n' "$state/pipe" "$id"
}

# Finds the job of --id.
find_state()
{
    is_number "$id" || fail 2 '--id takes the number of a job'
    state=$jobs/$id
    keeper=
    if [ -d "$state" ]; then
        read -r keeper 2>/dev/null <"$state/keeper"
    fi
}

# leave_word WHAT: for the keeper.
leave_word()
{
    true 2>/dev/null >"$state/$1"
}

wake_keeper()
{
    kill -USR1 "$keeper" 2>/dev/null
}

# wait_for FILE...: until one of them is there. Fails if the keeper dies before.
wait_for()
{
    while :; do
        for file; do
            [ ! -e "$state/$file" ] || return 0
        done
        alive "$keeper" || return 1
        nap
    done
}

# The last line of what went wrong, if it is known. It may be in any encoding, begin within a letter, or have NULs in it.
last_error()
{
    said=$(LC_ALL=C sed '/^[[:space:]]*$/d' "$state/errors" 2>/dev/null | tail -n 1 | tr -d '\000')
    printf '%s\n' "${said:-$1}"
}

ask_schedule()
{
    [ -n "$keeper" ] || fail 1 "there is no job $id"
    wait_for whole broken || fail 1 "the keeper of job $id has died"
    [ -e "$state/whole" ] || fail 1 "$(last_error "job $id could not be kept")"
    leave_word schedule || fail 1 "cannot write to $folder"
    wake_keeper
    wait_for printed failed || fail 1 "the keeper of job $id has died"
    [ -e "$state/printed" ] || fail 1 "$(last_error "job $id failed")"
    # It stays printed, whatever has become of the keeper; but one that never sees this word takes it back.
    leave_word 'done' || fail 1 "cannot write to $folder"
    wake_keeper || true
}

# What is not there was abandoned already.
ask_abandon()
{
    if leave_word abandon && wake_keeper; then
        nap_while 50 [ -d "$state" ]
        alive "$keeper" && return
    fi
    [ ! -d "$state" ] || [ -e "$state/done" ] || abandon_job
    clear_away "$state"
}

# ------------------------------------------------------------------------------------------------------- its keeper

# Waits a second, or until SIGUSR1; adds to $waited.
doze()
{
    sleep 1 &
    if wait $!; then
        waited=$((waited + 1))
    else
        # It holds what the keeper is about to close. Not by TERM: in a process that bash has just made, that runs the trap of
        # the keeper's own end.
        kill -s KILL $! 2>/dev/null
    fi
}

# The copier: opening the pipe waits for npjobd to open it.
copy_pipe()
{
    exec <"$state/pipe"
    mkdir -- "$state/claim" || exit
    copy 2>"$state/errors" && true >"$state/whole"
}

end_job()
{
    # Not by TERM: a shell loses what comes while it resets the traps of a process that it has just made.
    [ -z "$copier" ] || kill -s KILL "$copier" 2>/dev/null
    [ -e "$state/done" ] || abandon_job
    rm -rf -- "$state"
    trap - EXIT # which begin_job may have set
    exit 0
}

# Ends by itself if the pipe is not opened in time, or nobody says in time what is to become of the job. Prints once, however
# often it has to say so.
keep()
{
    trap '' HUP
    trap : USR1
    trap end_job TERM
    waited=0
    copier=
    verdict=
    begin_job "$@"
    copy_pipe &
    copier=$!
    while [ -d "$state" ] && [ ! -e "$state/abandon" ] && [ ! -e "$state/done" ]; do
        if [ -e "$state/schedule" ] && [ -z "$verdict" ]; then
            verdict=failed
            ! schedule_job || verdict=printed
            waited=0
        fi
        [ -z "$verdict" ] || true >"$state/$verdict"
        doze
        if [ ! -d "$state/claim" ]; then
            [ "$waited" -lt "$patience" ] || ! mkdir -- "$state/claim" || break
        elif [ -e "$state/whole" ] || ! alive "$copier"; then
            [ -e "$state/whole" ] || true >"$state/broken"
            [ "$waited" -lt "$patience" ] || break
        else
            waited=0
        fi
    done
    end_job
}

# ------------------------------------------------------------------------------------------------------------ all of it

provide()
{
    case ${1-} in
    -h | --help)
        # shellcheck disable=SC2154
        printf '%s\n' "$usage"
        exit 0
        ;;
    addjob | schedule | abandon) command=$1 ;;
    *) fail 2 "name addjob, schedule or abandon; see $self --help" ;;
    esac
    shift
    read_options "$@"
    shift "$taken"
    check_options
    if [ "$command" = addjob ]; then
        check_command "$@"
        add_job "$@"
    else
        find_state
        "ask_$command"
    fi
}
