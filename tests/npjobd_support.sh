# SPDX-License-Identifier: MIT
# Sourced by the tests of npjobd, whose first arguments are the two programs: a daemon in a folder of its own, and
# providers that are a few lines of sh.
set -u
here=$(dirname "$(realpath "$0")")
. "$here/tap.sh"
NPJOBD=$(realpath "$1")
NPA_CLIENT=$(realpath "$2")

# As /proc has it.
folder=$(cd "$(mktemp -d "${TMPDIR:-/tmp}/npjobd.XXXXXX")" && pwd -P)
npjobd_pid=
reloads=0 # of that daemon
ulimit -c 0

# Everything that was started and still runs is ended, by its number; of readers, which nobody waits for, it may be
# another's by now.
clean_up()
{
    local pid
    for pid in $(jobs -pr); do
        kill -KILL "$pid" 2>/dev/null
    done
    for pid in $(cat readers.ever 2>/dev/null); do
        [ "$(readlink "/proc/$pid/cwd")" != "$folder" ] || kill -KILL "$pid"
    done
    wait 2>/dev/null
    cd /
    rm -rf "$folder"
}
trap clean_up EXIT
cd "$folder" || exit 1
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=1:exitcode=99"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}halt_on_error=1:print_stacktrace=1"

# until_so COMMAND...: waits until the command succeeds, at most 30 seconds.
until_so()
{
    local end=$((SECONDS + 30))
    until "$@"; do
        [ $SECONDS -lt $end ] || { echo "never came true: $*"; tail -n 5 log calls; return 1; }
        sleep 0.02
    done
}

# says PATTERN [TIMES]: the log has that many lines of the pattern, or more.
says()
{
    [ "$(grep -cE -- "$1" log)" -ge "${2:-1}" ]
}

has()
{
    until_so says "$@" || { cat log; return 1; }
}

has_not()
{
    ! grep -E -- "$1" log
}

# reload [PATTERN]: the daemon reads its configuration again, and comes to that; to no failure, if not said.
reload()
{
    reloads=$((reloads + 1))
    kill -HUP "$npjobd_pid" && has 'reload: ' $reloads &&
        grep 'reload: ' log | sed -n "${reloads}p" | grep -E -- "${1-, 0 failures\$}"
}

# A provider: addjob makes a FIFO and leaves a reader behind it. One that begins while the file "gate" is there reads
# nothing until open_gate.
make_provider()
{
    cat >addjob <<'END'
#!/bin/sh
cd "$(dirname "$0")" || exit 1
job=$1
rm -f "pipe.$job"
mkfifo "pipe.$job" || exit 1
(
    gate=
    [ ! -e gate ] || gate=closed
    exec 3<"pipe.$job" || exit 1
    [ -z "$gate" ] || : >"waits.$job"
    while [ -e "waits.$job" ]; do sleep 0.05; done
    exec cat <&3 >"out.$job"
) </dev/null >/dev/null 2>&1 &
echo $! | tee -a readers >>readers.ever
echo "$PWD/pipe.$job"
echo "${job##*-}"
END
    cat >schedule <<'END'
#!/bin/sh
cd "$(dirname "$0")" && echo "schedule $*" >>calls
END
    cat >abandon <<'END'
#!/bin/sh
cd "$(dirname "$0")" && echo "abandon $*" >>calls
END
    chmod +x addjob schedule abandon
    rm -f out.* waits.*
    : >calls
    : >readers
}

close_gate()
{
    : >gate
}

# held_up NUMBER BUFFERS: the readers of so many jobs wait at the gate, and the daemon has so many buffers for them.
held_up()
{
    until_so holds_up "$@"
}

holds_up()
{
    local waits
    waits=$(find . -maxdepth 1 -name 'waits.*' | wc -l)
    [ "$waits" -eq "$1" ] && [ "$(wc -l <readers)" -ge "$1" ] &&
        "$NPJOBD" status --config conf --json | grep -q "\"buffer_bytes_live\":$(($2 * 65552)),"
}

open_gate()
{
    rm -f gate waits.*
}

# configure [LINE...]: the configuration: what is said of [global], then, behind a line "-", of the printer laser, and
# more sections as they come.
configure()
{
    {
        printf '[global]\nncalrpc dir = %s/n\ncontrol socket = %s/control\n' "$folder" "$folder"
        while [ $# -gt 0 ] && [ "$1" != - ]; do
            printf '%s\n' "$1"
            shift
        done
        [ $# -eq 0 ] || shift
        printf '[laser]\naddjob command = "%s/addjob" %%J\n' "$folder"
        printf 'schedule command = "%s/schedule" %%j\nabandon command = "%s/abandon" %%j %%r\n' "$folder" "$folder"
        printf '%s\n' "$@"
    } >conf
}

# start [PREFIX...]: the daemon, when it serves. A prefix runs it: ulimit, a checker.
start()
{
    [ -z "$npjobd_pid" ] || kill -KILL "$npjobd_pid" # of a test that has failed
    rm -f log
    : >log
    reloads=0
    "$@" "$NPJOBD" --config conf 2>>log &
    npjobd_pid=$!
    has 'npjobd serves'
}

fresh_start() # [PREFIX...]
{
    make_provider
    start "$@"
}

# ends CODE: the daemon ends with that code, of what it was sent.
ends()
{
    local code
    wait "$npjobd_pid"
    code=$?
    npjobd_pid=
    [ "$code" -eq "$1" ] || { echo "exit code $code, not $1"; cat log; return 1; }
    [ ! -e n/np/laser ] || { echo 'its socket is still there'; return 1; }
    has_not 'Sanitizer|runtime error'
}

stop()
{
    kill -TERM "$npjobd_pid"
    ends 0
}

# client CODE [OPTION...]: a job from standard input to laser.
client()
{
    local wanted=$1 code
    shift
    timeout 60 "$NPA_CLIENT" "$@" n/np/laser >said
    code=$?
    [ "$code" -eq "$wanted" ] || { echo "the client's exit code is $code, not $wanted: $(cat said)"; return 1; }
}

# hasty_client [OPTION...]: a job that fails so early that the client may hear of it or not.
hasty_client()
{
    local code
    timeout 60 "$NPA_CLIENT" "$@" n/np/laser >said
    code=$?
    [ $code -eq 0 ] || [ $code -eq 5 ]
}

# calls LINE...: what the provider was told, in this order, and no more; waits for it.
calls()
{
    printf '%s\n' "$@" >wanted
    until_so cmp -s wanted calls || { diff wanted calls; return 1; }
}

# arrived JOB FILE: the reader got these bytes.
arrived()
{
    until_so cmp -s "$2" "out.$1"
}

# number KEY: of the printer laser, in the status.
number()
{
    "$NPJOBD" status --config conf --json | sed "s/.*\"name\":\"laser\"[^}]*\"$1\":\([0-9]*\).*/\1/"
}

# is KEY NUMBER: waits until the status says so of the printer laser.
is()
{
    until_so number_is "$@"
}

number_is()
{
    [ "$(number "$1")" = "$2" ]
}

# descriptors SOFT: of the daemon's limits, the one that holds.
descriptors()
{
    [ "$(awk '/^Max open files/ { print $4 }' "/proc/$npjobd_pid/limits")" -eq "$1" ]
}

# cpu_ticks: that the daemon has taken.
cpu_ticks()
{
    awk '{ print $14 + $15 }' "/proc/$npjobd_pid/stat"
}

# is_alone: no socket of the folder has a connection.
is_alone()
{
    ! grep -q " 03 *[0-9]* $folder/" /proc/net/unix
}

holds()
{
    [ "$(held)" -eq "$1" ]
}

# held: descriptors that the daemon holds. A client hears the end of its connection before the daemon has closed it.
held()
{
    until_so is_alone
    find "/proc/$npjobd_pid/fd" -mindepth 1 2>/dev/null | wc -l
}
