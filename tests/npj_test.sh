#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The command npj, from outside: real files through real pipes, every error line, the pictures.
# usage: npj_test.sh NPJ READER PEAK_RSS RAISE_AT_CLOSE [CASE...]
set -u

here=$(dirname "$(realpath "$0")")
npj=$(realpath "$1")
reader=$(realpath "$2")
peak_rss=$(realpath "$3")
raise_at_close=$(realpath "$4")
shift 4
folder=$(mktemp -d "${TMPDIR:-/tmp}/npj.XXXXXX")
reader_pid=
. "$here/tap.sh"

clean_up() {
    [[ -n $reader_pid ]] && kill "$reader_pid" 2>/dev/null
    rm -rf "$folder"
}
trap clean_up EXIT
cd "$folder" || exit 1

fail() {
    printf '%s\n' "$*"
    failures=$((failures + 1))
}

expect_code() { # WANTED GOT
    [[ $1 -eq $2 ]] || fail "exit code $2, not $1; $(head -c 500 err)"
}

# One line on stderr, and this one.
expect_line() {
    local lines
    lines=$(wc -l <err)
    [[ $lines -eq 1 ]] || fail "$lines lines of errors, not 1: $(head -c 500 err)"
    grep -qF -- "$1" err || fail "no '$1' in: $(head -c 500 err)"
}

# Starts the reader and waits until its pipe is there.
read_pipe() { # KIND OUT [MODE [N]]
    rm -f pipe
    mkfifo ready
    "$reader" "$1" pipe "${@:2}" >ready 2>reader.err &
    reader_pid=$!
    exec 3<ready
    read -r -u 3 -t 20 _ || fail "the reader does not come up: $(cat reader.err)"
    rm -f ready
}

# Waits for the reader's end; what it said last is in $said. One that nobody has written to would wait for ever.
reader_ends() {
    said=
    read -r -u 3 -t 60 said
    [[ $? -le 128 ]] || kill "$reader_pid" 2>/dev/null
    exec 3<&-
    wait "$reader_pid" || fail "the reader failed: $(cat reader.err)"
    reader_pid=
}

# Ends the reader of a job that was not to arrive.
end_reader() {
    kill "$reader_pid" 2>/dev/null
    wait "$reader_pid" 2>/dev/null
    reader_pid=
    exec 3<&-
}

# Waits until --trace has told of a state.
until_traced() { # STATE
    local i
    for i in {1..400}; do
        grep -qs -- "--> $1 " err && return
        sleep 0.05
    done
    fail "never in state $1: $(cat err)"
}

# Runs npj, which has to end with this exit code.
ends() { # CODE ARGUMENT...
    timeout 120 "$npj" "${@:2}" >out 2>err
    expect_code "$1" $?
}

# A number of the ledger: its line, its column.
ledger() {
    awk -v name="$1" -v column="$2" 'index($0, name) == 1 { sub(name, ""); print $column }' out
}

# The end of every job, however it went: nothing lives, every answer was given, and the limit was kept.
expect_balance() {
    local limit
    limit=$(ledger limit 1)
    [[ $(ledger jobs 3) == 0 ]] || fail "a job lives: $(cat out)"
    [[ $(ledger packets 3) == 0 ]] || fail "packets live: $(cat out)"
    [[ $(ledger packets 1) == "$(ledger packets 2)" ]] || fail "packets are not balanced"
    [[ $(ledger 'reserved packets' 3) == 0 ]] || fail "reserved packets live: $(cat out)"
    [[ $(ledger 'pool bytes' 3) == 0 ]] || fail "pool bytes live: $(cat out)"
    [[ $(ledger 'memory bytes' 3) == 0 ]] || fail "memory is left: $(cat out)"
    [[ $(ledger 'lent buffers' 3) == 0 ]] || fail "lent buffers have not come back: $(cat out)"
    [[ $(ledger requests 1) == "$(ledger requests 3)" ]] || fail "requests without an answer: $(cat out)"
    [[ $(ledger 'pool bytes' 4) -le $limit ]] || fail "the pool's peak is over the limit of $limit: $(cat out)"
}

expect_whole() { # FILE
    local size
    size=$(stat -c %s "$1")
    cmp -s "$1" got || fail "the file did not arrive byte for byte"
    [[ $(ledger 'bytes ' 1) == "$size" ]] || fail "bytes accepted are not $size: $(cat out)"
    [[ $(ledger 'bytes ' 3) == "$size" ]] || fail "bytes taken are not $size: $(cat out)"
    [[ $(ledger close 1) == STATUS_SUCCESS ]] || fail "close was not answered SUCCESS: $(cat out)"
}

# The file is there, and nothing else is left.
expect_arrival() { # FILE
    reader_ends
    expect_balance
    expect_whole "$1"
}

# ------------------------------------------------------------------------------------------------ send, a difficult reader

case_slow_reader_and_memory() {
    local how kib
    for how in --copy --lend; do
        read_pipe stream got slow 2
        head -c 20000000 big >part
        timeout 120 "$peak_rss" rss "$npj" send part --pipe pipe --limit 1M $how >out 2>err
        expect_code 0 $?
        expect_arrival part
        # The limit, and what a program with its libraries takes; far less than the file. Sanitizers take more.
        kib=$(cat rss)
        [[ -n ${NPJ_TEST_SANITIZED-} || $kib -lt 12000 ]] || fail "$kib KiB in memory for a limit of 1 MiB"
    done
}

case_stalled_reader() {
    local kind
    for kind in stream fifo seqpacket; do
        local more=()
        [[ $kind == seqpacket ]] && more=(--message)
        read_pipe $kind got stall 1500
        ends 0 send big --pipe pipe --limit 2M "${more[@]}"
        expect_arrival big
        [[ $(ledger time 1 | cut -d. -f1) -ge 1 ]] || fail "it did not wait for its reader"
    done
}

case_stall_timeout() {
    local how
    for how in --copy --lend; do
        read_pipe stream got stall 3000
        ends 1 send big --pipe pipe --stall-timeout 300 $how
        expect_line 'pipe: the pipe did not take the job in time (STATUS_IO_TIMEOUT 0xC00000B5)'
        expect_balance
        [[ $(ledger close 1) == STATUS_IO_TIMEOUT ]] || fail "close: $(ledger close 1)"
        end_reader
    done
}

# A reader that has the FIFO open and reads nothing. Never is longer than any other time.
case_drain_timeout() {
    local line='silent: the pipe did not take the job in time (STATUS_IO_TIMEOUT 0xC00000B5)'
    mkfifo silent
    exec 4<>silent
    head -c 1000000 big >part
    ends 1 send part --pipe silent --drain-timeout 300 --stall-timeout 0
    expect_line "$line"
    ends 1 send part --pipe silent --stall-timeout 300 --drain-timeout 0
    expect_line "$line"
    exec 4<&-
}

case_reader_dies() {
    local kind how
    for kind in stream fifo seqpacket; do
        for how in --copy --lend; do
            local more=()
            [[ $kind == seqpacket ]] && more=(--message)
            read_pipe $kind got die 5000000
            ends 1 send big --pipe pipe $how "${more[@]}"
            reader_ends
            grep -qE '^npj send: pipe: write: (Broken pipe|Connection reset by peer) \(STATUS_PIPE_BROKEN 0xC000014B\)$' err ||
                fail "$kind $how: $(cat err)"
            expect_line STATUS_PIPE_BROKEN
            expect_balance
            [[ $(ledger close 1) == STATUS_PIPE_BROKEN ]] || fail "close: $(ledger close 1)"
            # Nothing was taken that did not come from the file, in its order.
            cmp -s -n 5000000 big got || fail "$kind $how: the first bytes are not those of the file"
        done
    done
}

case_reader_dies_while_file_waits() {
    read_pipe fifo got die 1000
    (head -c 1000 small && sleep 0.5 && cat small) | timeout 60 "$npj" send - --pipe pipe --chunk 100 >out 2>err
    expect_code 1 "${PIPESTATUS[1]}"
    reader_ends
    expect_line 'pipe: write: Broken pipe (STATUS_PIPE_BROKEN 0xC000014B)'
    expect_balance
}

case_interrupted() {
    local number name
    for name in INT TERM HUP; do
        number=$(kill -l $name)
        read_pipe stream got stall 3000
        # A shell that is not interactive has its children ignore SIGINT; npj takes it all the same. Not so a hangup, which
        # whoever runs the tests may have ignored.
        rm -f err # what was traced before is none of it
        env --default-signal=HUP "$npj" send big --pipe pipe --trace >out 2>err &
        local sender=$!
        until_traced OPEN
        kill -s $name $sender
        wait $sender
        expect_code $((128 + number)) $?
        sed -i '/^job 1: /d' err
        expect_line 'npj send: pipe: interrupted, the job was aborted'
        expect_balance
        [[ $(ledger close 1) != STATUS_SUCCESS ]] || fail "an aborted job was closed with success"
        end_reader
    done
}

# The host's turn is cut when the pipe has been closed, so that the signal comes before the end: with one write less or more
# the job has been answered by then, or has not. A sanitizer would have to be loaded first.
case_interrupted_too_late() {
    [[ -z ${NPJ_TEST_SANITIZED-} ]] || return 0
    local size code done=0
    for size in {242..249}; do
        head -c "$size" big >few
        read_pipe fifo got
        LD_PRELOAD=$raise_at_close RAISE_AT=pipe timeout 60 "$npj" send few --pipe pipe --chunk 1 >out 2>err
        code=$?
        reader_ends
        expect_balance
        if [[ $(ledger close 1) == STATUS_SUCCESS ]]; then
            [[ $code -eq 0 && ! -s err ]] || fail "$size bytes have arrived: exit code $code, $(cat err)"
            done=$((done + 1))
        else
            [[ $code -eq 130 ]] || fail "$size bytes have not arrived: exit code $code, $(cat err)"
            expect_line 'npj send: pipe: interrupted, the job was aborted'
        fi
    done
    [[ $done -gt 0 && $done -lt 8 ]] || fail "the signal came too late for $done of 8 jobs"
}

# Waits until a process has said about as much as a pipe holds that nobody reads.
until_stuck() { # PID
    local i
    for i in {1..200}; do
        [[ $(awk '$1 == "wchar:" { print $2 }' "/proc/$1/io") -ge 60000 ]] && return
        sleep 0.05
    done
    fail 'it is not stuck'
}

# Whatever npj does: here it has to tell somebody who does not listen.
case_interrupted_twice() {
    mkfifo deaf
    exec 4<>deaf
    read_pipe stream got
    timeout -s KILL 30 "$npj" send small --pipe pipe --chunk 1 --trace >out 2>deaf &
    local sender=$!
    sleep 0.5
    until_stuck "$(pgrep -P $sender)"
    pkill -INT -P $sender
    sleep 0.3
    pkill -INT -P $sender
    wait $sender
    expect_code 130 $?
    exec 4<&-
    end_reader
}

# ------------------------------------------------------------------------------------------------ send, error lines

# A job that does not come to be still has its ledger.
fails_with() { # LINE OPTION...
    ends 1 send small "${@:2}"
    expect_line "npj send: $1"
    expect_balance
}

case_pipes_that_are_none() {
    rm -f pipe
    mkfifo lonely
    echo hello >plain
    "$reader" stream stale /dev/null >/dev/null 2>&1 &
    reader_pid=$!
    for _ in {1..100}; do
        [[ -S stale ]] && break
        sleep 0.05
    done
    end_reader
    fails_with 'nothing: open: No such file or directory (STATUS_OBJECT_NAME_NOT_FOUND 0xC0000034)' --pipe nothing
    fails_with 'lonely: open: No such device or address (STATUS_PIPE_NOT_AVAILABLE 0xC00000AC)' --pipe lonely
    fails_with 'stale: connect: Connection refused (STATUS_PIPE_NOT_AVAILABLE 0xC00000AC)' --pipe stale
    fails_with 'plain: neither a socket nor a FIFO (STATUS_INVALID_DEVICE_REQUEST 0xC0000010)' --pipe plain
    fails_with 'lonely: a FIFO carries no messages, a SOCK_SEQPACKET socket does' --pipe lonely --message
    fails_with 'plain/x: open: Not a directory (STATUS_OBJECT_NAME_NOT_FOUND 0xC0000034)' --pipe plain/x
    fails_with 'lonely: the pipe did not open in time (STATUS_IO_TIMEOUT 0xC00000B5)' --pipe lonely --wait \
        --connect-timeout 200
    local deep
    deep=$(printf 'd%.0s' {1..120})
    mkdir "$deep"
    (cd "$deep" && exec timeout 20 "$reader" stream s /dev/null >/dev/null 2>&1) &
    reader_pid=$!
    for _ in {1..100}; do
        [[ -S $deep/s ]] && break
        sleep 0.05
    done
    fails_with "$deep/s: connect: File name too long (STATUS_OBJECT_NAME_INVALID 0xC0000033)" --pipe "$deep/s"
    end_reader
}

case_wrong_kind_of_socket() {
    read_pipe seqpacket got
    fails_with 'pipe: connect: Protocol wrong type for socket (STATUS_INVALID_DEVICE_REQUEST 0xC0000010)' --pipe pipe
    end_reader
}

case_message_too_long() {
    read_pipe seqpacket got
    ends 1 send big --pipe pipe --message --chunk 16M --limit 64M
    reader_ends
    expect_line 'pipe: write: Message too long (STATUS_INVALID_PARAMETER 0xC000000D)'
    expect_balance
}

case_files_that_cannot_be_read() {
    mkfifo pipe2
    mkdir directory
    ends 3 send missing.ps --pipe pipe2
    expect_line 'npj send: missing.ps: No such file or directory'
    ends 3 send directory --pipe pipe2
    expect_line 'npj send: directory: Is a directory'
}

# Its first page is mapped for nobody. The reader, to whom nobody has written, may not even be asked for.
case_reading_fails() {
    read_pipe stream got
    ends 3 send /proc/self/mem --pipe pipe --connect-timeout 0
    expect_line 'npj send: /proc/self/mem: Input/output error'
    expect_balance
    grep -q '^close *not answered' out || fail "a close was sent for half a file: $(cat out)"
    end_reader
}

# The file and the pipe need two, the loop some more.
case_hardly_any_descriptors() {
    local most
    for most in {4..12}; do
        (ulimit -n "$most" && exec timeout 60 "$npj" send small --pipe nobody -q) >out 2>err
        [[ $? -le 3 ]] || fail "$most descriptors: $(cat err)"
        expect_line 'npj send: '
    done
}

# The command line: one line each, exit code 2.
wrong_use() { # LINE ARGUMENT...
    ends 2 "${@:2}"
    [[ $(cat err) == "$1" ]] || fail "said '$(cat err)', not '$1'"
    [[ -s out ]] && fail "printed something: $(head -c 200 out)"
}

case_wrong_use() {
    wrong_use 'npj: no command; npj --help lists them'
    wrong_use 'npj: "frobnicate": no such command; npj --help lists them' frobnicate
    wrong_use 'npj: "two?lines": no such command; npj --help lists them' $'two\nlines'
    wrong_use "npj send: unrecognized option '--frobnicate'" send --frobnicate
    wrong_use "npj send: unrecognized option '--frobnicate'" send --frobnicate --help
    wrong_use 'npj send: no file given' send --pipe x
    wrong_use 'npj send: no pipe given: --pipe PATH' send small
    wrong_use 'npj send: one file only: "big"' send small big --pipe x
    wrong_use 'npj send: --pipe: an empty path' send small --pipe ''
    wrong_use 'npj send: --chunk: not a number of bytes: "12Q"' send small --pipe x --chunk 12Q
    wrong_use 'npj send: --chunk: not a number of bytes: "-1"' send small --pipe x --chunk -1
    wrong_use 'npj send: --chunk: 1 to 1073741824 bytes, not "0"' send small --pipe x --chunk 0
    wrong_use 'npj send: --batch: 1 to 1024, not "1025"' send small --pipe x --batch 1025
    wrong_use 'npj send: --limit: one write of 65536 bytes takes 65600' send small --pipe x --limit 65599
    wrong_use 'npj send: --limit: more writes than the engine can count' send small --pipe x --chunk 1 --limit 300G
    wrong_use 'npj send: --limit: not a number of bytes: "99999999999999999999"' send small --pipe x --limit 99999999999999999999
    wrong_use 'npj send: --stall-timeout: 0 to 4294967295 milliseconds, not "soon"' send small --pipe x --stall-timeout soon
    wrong_use 'npj send: --drain-timeout: 0 to 4294967295 milliseconds, not "4294967296"' send small --pipe x --drain-timeout 4294967296
    wrong_use 'npj send: --limit: not a number of bytes: "17179869184G"' send small --pipe x --limit 17179869184G
    wrong_use "npj send: option '--pipe' requires an argument" send small --pipe
    wrong_use 'npj states: no such argument: "x"' states x
    wrong_use "npj states: unrecognized option '--picture'" states --picture
    wrong_use 'npj q226513: no file given' q226513
    wrong_use 'npj q226513: --sizes: not a number of bytes: "many"' q226513 small --sizes 64K,many
    wrong_use 'npj q226513: --sizes: not a number of bytes: "0"' q226513 small --sizes 0
    local sizes
    for sizes in 64K,,128K ,64K 64K, ''; do
        wrong_use 'npj q226513: --sizes: not a number of bytes: ""' q226513 small --sizes "$sizes"
    done
    wrong_use 'npj q226513: --sizes: more than 32' q226513 small --sizes "$(seq -s, 33)"
    wrong_use 'npj q226513: --plot: neither .svg nor .png: "x.jpg"' q226513 small --plot x.jpg
    wrong_use 'npj q226513: --print-bytes: 1 to 16777216 bytes, not "0"' q226513 small --print-bytes 0
    wrong_use 'npj tape: what to do? dis, asm or run' tape
    wrong_use 'npj tape: "play": neither dis, asm nor run' tape play
    wrong_use 'npj tape: no file given' tape run
    wrong_use 'npj tape: asm: no output given: -o OUT' tape asm small
    wrong_use 'npj tape: one file only: "b"' tape dis a b
    wrong_use 'npj tape: standard input can be read once only: "-"' tape run - small -
    wrong_use 'npj tape: -o belongs to asm' tape run small -o x
    wrong_use 'npj tape: --trace, --nt4 and --model belong to run' tape dis small --trace
    wrong_use 'npj: "": no such command; npj --help lists them' ''
    wrong_use 'npj send: FILE: an empty path' send '' --pipe x
    wrong_use 'npj send: --batch: 1 to 1024, not ""' send small --pipe x --batch ''
    wrong_use 'npj q226513: FILE: an empty path' q226513 ''
    wrong_use 'npj tape: "": neither dis, asm nor run' tape ''
    wrong_use 'npj tape: FILE: an empty path' tape run small ''
    wrong_use 'npj tape: --output: an empty path' tape asm small -o ''
    wrong_use 'npj explore: there is no scope ""; --list names them' explore ''
    wrong_use 'npj explore: --seeds: an empty path' explore --seeds ''
    wrong_use 'npj states: --svg: an empty path' states --svg ''
    wrong_use 'npj tape: --model goes with npjob, not with --nt4' tape run small --model --nt4
}

case_help() {
    local command
    "$npj" --help >out 2>err
    expect_code 0 $?
    for command in send q226513 tape explore states; do
        grep -q "npj $command" out || fail "npj --help does not name $command"
        "$npj" $command --help >"help" 2>err
        expect_code 0 $?
        grep -q "^Usage: npj $command" help || fail "$command --help has no usage: $(head -1 help)"
        grep -q '^Exit code: 0 done' help || fail "$command --help has no exit codes"
        grep -q -- '--help' help || fail "$command --help does not name --help"
        [[ -s err ]] && fail "$command --help writes to stderr"
        "$npj" $command --hel | diff help - >/dev/null || fail "$command --hel prints something else"
        "$npj" $command --version >version
        [[ $(cat version) == "$("$npj" --version)" && $(cat version) == "$("$npj" $command -V)" ]] ||
            fail "$command --version: $(cat version)"
    done
    grep -qE '^npj \(npjob\) [0-9]+\.[0-9]+\.[0-9]+$' version || fail "--version: $(cat version)"
}

case_full_disk() {
    [[ -w /dev/full ]] || return 0
    "$npj" states >/dev/full 2>err
    expect_code 3 $?
    expect_line 'npj: standard output: No space left on device'
    "$npj" send --help >/dev/full 2>err
    expect_code 3 $?
    expect_line 'npj: standard output: No space left on device'
    head -c 40 /dev/zero >zeros
    "$npj" tape dis zeros >/dev/full 2>err
    expect_code 3 $?
    expect_line 'npj: standard output: No space left on device'
}

case_quiet_and_trace() {
    read_pipe stream got
    ends 0 send small --pipe pipe --quiet
    reader_ends
    [[ ! -s out && ! -s err ]] || fail "--quiet is not: $(cat out err)"
    read_pipe stream got
    ends 0 send small --pipe pipe --trace
    reader_ends
    grep -qx 'job 1: ADDING -- CLOSE --> ADDING SUCCESS' err || fail "no trace of the close: $(grep CLOSE err)"
    grep -qx 'job 1: OPEN -- FINISH --> CLOSING SUCCESS' err || fail "no trace of the closing"
    grep -qx 'job 1: CLEANUP -- FINISH --> SCHEDULING SUCCESS' err || fail "no trace of the cleanup"
    grep -qx 'job 1: SCHEDULING -- FINISH --> GONE SUCCESS' err || fail "no trace of the end"
}

. "$here/npj_send_cases.sh"
. "$here/npj_other_cases.sh"

# ------------------------------------------------------------------------------------------------ run

head -c 104857600 /dev/urandom >big
head -c 300001 big >small

[[ $# -gt 0 ]] || mapfile -t chosen < <(declare -F | awk '$3 ~ /^case_/ { print substr($3, 6) }')
[[ $# -gt 0 ]] && chosen=("$@")
passes() {
    failures=0
    declare -F "case_$1" || fail 'there is no such case'
    "case_$1"
    [[ $failures -eq 0 ]]
}
for name in "${chosen[@]}"; do
    check "${name//_/ }" passes "$name"
done
finish
