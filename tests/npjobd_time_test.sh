#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# npjobd from outside: clients that are silent, providers that are slow, and a daemon that was stopped.
# usage: npjobd_time_test.sh NPJOBD NPA_CLIENT [CASE]
# Nearly all of it waits for time to pass, and so all cases run at once, each by itself with a daemon of its own.
. "$(dirname "$(realpath "$0")")/npjobd_support.sh"
handshake=$here/../corpus/npa/samba-4.17-guest-smb3-11

# It holds a place that others may want.
silent_client()
{
    configure - 'idle timeout = 3' && fresh_start || return 1
    { echo begun; sleep 6; } | hasty_client
    has 'status=STATUS_IO_TIMEOUT outcome=abandoned .*reason="the client sends nothing"' &&
        calls 'abandon 1 STATUS_IO_TIMEOUT' && stop
}

# One whose bytes wait for the pipe is not silent, nor is it as soon as they have left.
held_up_client()
{
    local pid late
    configure - 'idle timeout = 3' && fresh_start && close_gate && mkfifo end late || return 1
    { head -c 200000 /dev/zero; cat end; } | client 0 & # more than the pipe holds
    pid=$!
    until_so test -e waits.laser-1
    { head -c 200000 /dev/zero; cat late; } | "$NPA_CLIENT" n/np/laser >said.late &
    late=$!
    sleep 5
    : >end # its end comes while its bytes wait
    has_not 'job=[12]' && open_gate && wait $pid && sleep 1.5 && : >late && wait $late &&
        calls 'schedule 1' 'schedule 2' && stop
}

# One who has sent all may be long about nothing: it is the provider who is.
silence_behind_the_end()
{
    configure - 'idle timeout = 1' && fresh_start && sed -i '2isleep 1.5' schedule && echo job | client 0 && calls 'schedule 1' &&
        has 'outcome=scheduled' && stop
}

# As long as its command may take, whatever the engine gives AddJob by itself.
slow_provider()
{
    configure - 'command timeout = 60' && fresh_start && sed -i '2isleep 31' addjob && echo job | client 0 && sleep 20 && calls 'schedule 1' &&
        has 'bytes=4 .*outcome=scheduled' && stop
}

# smbd has said in time who it is, but the daemon was stopped.
deaf_daemon()
{
    configure 'handshake timeout = 2' && fresh_start && mkfifo end || return 1
    local pid size length
    size=$(($(wc -c <"$handshake") - 4 + 100000)) # longer than is read at once: behind its parts stands what is not looked at
    printf -v length '\\x%02x' $((size >> 24)) $((size >> 16 & 255)) $((size >> 8 & 255)) $((size & 255))
    { printf '%b' "$length"; tail -c +5 "$handshake" | head -c 96; cat end; } | client 6 --raw & # there is a reply, where it expects none
    pid=$!
    is live 1 && kill -STOP "$npjobd_pid" || return 1
    { tail -c +101 "$handshake"; head -c 100000 /dev/zero; } >end
    sleep 3
    kill -CONT "$npjobd_pid"
    wait $pid && is live 0 && [ "$(number handshakes_refused)" = 0 ] && stop
}

# What is wrong came in time, and is refused once.
deaf_daemon_hears_nonsense()
{
    configure 'handshake timeout = 2' && fresh_start && mkfifo end || return 1
    { printf '\0\0'; cat end; } | client 4 --raw &
    local pid=$!
    is live 1 && kill -STOP "$npjobd_pid" || return 1
    printf '\0\2NP' >end
    sleep 3
    kill -CONT "$npjobd_pid"
    wait $pid && is live 0 && is handshakes_refused 1 && has_not 'takes too long' && stop
}

# The client has sent all in time.
silent_daemon()
{
    configure - 'idle timeout = 2' && fresh_start && mkfifo end || return 1
    { echo begun; cat end; } | client 0 &
    local pid=$!
    until_so grep -qs begun out.laser-1 && kill -STOP "$npjobd_pid" || return 1
    echo ended >end
    sleep 3
    kill -CONT "$npjobd_pid"
    wait $pid && calls 'schedule 1' && has 'bytes=12 .*outcome=scheduled' && stop
}

if [ $# -eq 3 ]; then
    "$3"
    exit
fi

# ended PID FILE: the case that said it there ended well.
ended()
{
    local status=0
    wait "$1" || status=$?
    cat "$2"
    return $status
}

cases=(
    'silent_client: a client that sends nothing'
    'held_up_client: one whose bytes wait'
    'silence_behind_the_end: one that needs to send nothing'
    'deaf_daemon: a daemon that stood still: the handshake'
    'deaf_daemon_hears_nonsense: what is no handshake'
    'silent_daemon: the job'
    'slow_provider: an AddJob that takes half a minute'
)
pids=()
for case in "${cases[@]}"; do
    name=${case%%:*}
    "$here/npjobd_time_test.sh" "$NPJOBD" "$NPA_CLIENT" "$name" >"$name.said" 2>&1 &
    pids+=($!)
done
for i in "${!cases[@]}"; do
    check "${cases[i]#*: }" ended "${pids[i]}" "${cases[i]%%:*}.said"
done
finish
