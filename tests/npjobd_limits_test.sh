#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# npjobd from outside: connections that end, memory, descriptors, and a log that ends.
# usage: npjobd_limits_test.sh NPJOBD NPA_CLIENT
. "$(dirname "$(realpath "$0")")/npjobd_support.sh"
handshake=$here/../corpus/npa/samba-4.17-guest-smb3-11

# A client that is faster than its printer waits, and the daemon with it, which holds what it may and no more; 64 KiB are in the FIFO.
back_pressure()
{
    configure - 'max job memory = 1M' && fresh_start && close_gate && head -c 20000000 /dev/urandom >big || return 1
    "$NPA_CLIENT" n/np/laser <big >said &
    local pid=$! before
    held_up 1 16 && before=$(cpu_ticks) && sleep 2.5 && [ $(($(cpu_ticks) - before)) -lt 50 ] &&
        [ "$(number bytes)" -le $((1048576 + 65536)) ] && kill -0 $pid && open_gate && wait $pid && arrived laser-1 big && calls 'schedule 1' &&
        "$NPJOBD" status --config conf --json | grep -q '"buffer_bytes_live":0,"buffer_bytes_peak":1048832,'
}

# smbd has gone, and with it bytes of ours: an end that is none, behind all that has come. The daemon finds both at one time.
reset_connection()
{
    configure && fresh_start && python3 - "$handshake" "$npjobd_pid" <<'END' &&
import os, signal, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect('n/np/laser')
s.sendall(open(sys.argv[1], 'rb').read())
s.recv(1, socket.MSG_PEEK)
os.kill(int(sys.argv[2]), signal.SIGSTOP)
s.sendall(b'half a job')
s.close()
os.kill(int(sys.argv[2]), signal.SIGCONT)
END
        calls 'abandon 1 STATUS_NETWORK_NAME_DELETED' && has 'bytes=10 .*outcome=abandoned whole="" reason="smbd has gone"' && stop
}

# smbd has said who it is, and goes: the provider hears of no job.
gone_before_the_reply()
{
    configure && fresh_start && python3 - "$handshake" "$npjobd_pid" <<'END' &&
import os, signal, socket, sys
os.kill(int(sys.argv[2]), signal.SIGSTOP)
s = socket.socket(socket.AF_UNIX)
s.connect('n/np/laser')
s.sendall(open(sys.argv[1], 'rb').read())
s.close()
os.kill(int(sys.argv[2]), signal.SIGCONT)
END
        has 'outcome=refused reason="smbd has gone before the reply"' && is handshakes_refused 1 && has_not 'job=' && stop
}

# Another job has its own memory, even when there is hardly any.
memory_for_each()
{
    configure 'max jobs = 4' 'max memory = 1M' - 'max job memory = 1M' && reload &&
        close_gate || return 1
    "$NPA_CLIENT" n/np/laser <big >said &
    local pid=$!
    held_up 1 13 && rm gate && echo small >job && client 0 <job && calls 'schedule 1' 'schedule 3' &&
        open_gate && wait $pid && arrived laser-2 big && stop
}

# turned_away NUMBER LINES: three jobs are under way, two clients more are turned away, NUMBER by then, and LINES in the log.
turned_away()
{
    local i pids=()
    close_gate
    for i in 1 2 3; do
        "$NPA_CLIENT" n/np/laser <big >said.$i &
        pids+=($!)
    done
    held_up 3 48 && client 4 </dev/null && client 4 </dev/null && is refused "$1" &&
        [ "$(grep -c 'printer=laser status=STATUS_INSUFF_SERVER_RESOURCES outcome=refused reason="max jobs"' log)" -eq "$2" ] || return 1
    open_gate
    wait "${pids[@]}"
}

# The log has it once, until one is let in again.
too_many()
{
    configure && fresh_start && configure 'max jobs = 3' - 'max job memory = 1M' && reload && turned_away 2 1 &&
        has outcome=scheduled 3 && turned_away 4 2 && has outcome=scheduled 6 && stop
}

# limit: of jobs at once, as the daemon tells it.
limit()
{
    "$NPJOBD" status --config conf --json | sed 's/.*"limit":\([0-9]*\),.*/\1/'
}

# It takes as many as it needs, if it may, and no more; three for each job, and 40 for itself and one for each printer.
descriptors_are_taken()
{
    configure 'max jobs = 5' && fresh_start prlimit --nofile=50:1000 && descriptors 56 && [ "$(limit)" -eq 5 ] && configure &&
        reload && descriptors 425 && [ "$(limit)" -eq 128 ] && has_not suffice && stop
}

# Also for the sockets of more printers than it came with descriptors for.
descriptors_for_printers()
{
    local number others=()
    for number in {1..60}; do
        others+=("[p$number]" 'addjob command = a' 'schedule command = s' 'abandon command = a')
    done
    configure - "${others[@]}" && fresh_start prlimit --nofile=50:1000 && descriptors 485 && has_not 'suffice|Too many' &&
        echo job | client 0 && calls 'schedule 1' && stop
}

# There is always one job at a time, no more, and the daemon can be asked; whoever waits is let in when fewer printers leave
# room for more.
hardly_any_descriptors()
{
    local number others=() pid
    for number in {1..9}; do
        others+=("[p$number]" 'addjob command = a' 'schedule command = s' 'abandon command = a')
    done
    configure - "${others[@]}" && fresh_start prlimit --nofile=50:50 && has '50 descriptors suffice for 1 of 128 jobs' && [ "$(limit)" -eq 1 ] &&
        echo job >job && client 0 <job && calls 'schedule 1' && close_gate && head -c 200000 /dev/zero | client 0 || return 1
    "$NPA_CLIENT" n/np/laser <job >said & # waits also when that client has gone, and its job has not
    pid=$!
    until_so test -e waits.laser-2 && sleep 0.5 && [ "$(number live)" = 1 ] && open_gate && wait $pid &&
        calls 'schedule 1' 'schedule 2' 'schedule 3' || return 1
    kill -STOP "$npjobd_pid" # it finds both at one time
    "$NPA_CLIENT" --silent n/np/laser &
    sleep 0.3
    "$NPA_CLIENT" n/np/laser <job >said &
    pid=$!
    sleep 0.3
    kill -CONT "$npjobd_pid"
    has 'connections wait: no descriptors for more' && sleep 1.5 && [ "$(number live)" = 1 ] &&
        calls 'schedule 1' 'schedule 2' 'schedule 3' && configure && reload && wait $pid &&
        calls 'schedule 1' 'schedule 2' 'schedule 3' 'schedule 4' && stop
}

# A printer that comes meanwhile waits as well, and one that goes is not missed.
hardly_any_for_new_printers()
{
    local lives
    configure && fresh_start prlimit --nofile=44:44 && close_gate && head -c 200000 /dev/zero | client 0 &&
        sed -i 's/^\[laser\]/[other]/' conf && reload && lives=$(python3 - "$NPJOBD" <<'END'
import socket, subprocess, sys
s = socket.socket(socket.AF_UNIX)
s.connect('n/np/other')
for _ in range(2): # the second answer is of a time when it could have been accepted
    status = subprocess.run([sys.argv[1], 'status', '--json', '--config', 'conf'], check=True, capture_output=True)
print(status.stdout.decode().partition('"limit":1,')[0])
END
        ) && [[ $lives == *'"live":1,' ]] && open_gate && calls 'schedule 1' &&
        echo job | "$NPA_CLIENT" n/np/other && calls 'schedule 1' 'schedule 2' && stop
}

# With few descriptors connections wait, and none is lost.
few_descriptors()
{
    configure && fresh_start prlimit --nofile=64:64 && has '64 descriptors suffice for [0-9]* of 128 jobs' || return 1
    local before
    [ "$(limit)" -eq 7 ] || return 1
    before=$(held)
    echo job >job
    client 0 --many 40 <job && grep -qx 'opened 40 refused 0' said && has outcome=scheduled 40 &&
        has_not 'outcome=(refused|abandoned)' && [ "$(grep -c 'connections wait' log)" -eq 1 ] &&
        until_so holds "$before"
}

# None are left: whoever asks how it does waits.
no_descriptors_to_tell()
{
    stop && fresh_start && prlimit --pid "$npjobd_pid" --nofile=10: || return 1
    timeout 60 python3 -c "
import socket
s = socket.socket(socket.AF_UNIX)
s.connect('control')
s.sendall(b'status\\n')
assert s.recv(6) == b'npjobd'" &
    local pid=$!
    has 'connections wait: Too many open files' && prlimit --pid "$npjobd_pid" --nofile=64: && wait $pid
}

# None are left, all at once: what has come waits, and is served when there are some again.
no_descriptors()
{
    stop && fresh_start && prlimit --pid "$npjobd_pid" --nofile=10: && rm -f said || return 1
    "$NPA_CLIENT" n/np/laser <job >said &
    local pid=$!
    has 'connections wait: Too many open files' && ! grep -q open said && prlimit --pid "$npjobd_pid" --nofile=64: &&
        wait $pid && calls 'schedule 1'
}

# Many who talk nonsense at once, while a job prints.
flood()
{
    head -c 1000 /dev/zero | client 0 --raw --many 2000 && grep -qx 'opened 0 refused 2000' said && echo job | client 0 &&
        until_so says 'outcome=scheduled' 2 && [ "$(number live)" = 0 ] && stop
}

# A log that may not grow any more ends nothing. Where coverage is counted, its file would be cut off as well.
log_ends()
{
    configure && fresh_start env LLVM_PROFILE_FILE=/dev/null prlimit --fsize=4096 &&
        head -c 1000 /dev/zero | client 0 --raw --many 100 && [ "$(wc -c <log)" -eq 4096 ] &&
        echo job | client 0 && calls 'schedule 1' && stop
}

# Nor does one that nobody reads any more.
log_breaks()
{
    configure && make_provider && rm -f errors && mkfifo errors || return 1
    head -n 1 errors >log &
    reloads=0
    "$NPJOBD" --config conf 2>errors &
    npjobd_pid=$!
    has 'npjobd serves' && wait %1
    echo job | client 0 && calls 'schedule 1' && is scheduled 1 && stop
}

check 'a connection that is reset' reset_connection
check 'and one that is gone' gone_before_the_reply
check 'back-pressure' back_pressure
check 'memory for each job' memory_for_each
check 'max jobs' too_many
check 'descriptors are taken as needed' descriptors_are_taken
check 'for many printers as well' descriptors_for_printers
check 'hardly any descriptors' hardly_any_descriptors
check 'and new printers' hardly_any_for_new_printers
check 'few descriptors' few_descriptors
check 'no descriptors to tell of it' no_descriptors_to_tell
check 'no descriptors' no_descriptors
check 'a flood' flood
check 'a log that is full' log_ends
check 'a log that nobody reads' log_breaks
finish
