#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# npjobd from outside: strangers, nonsense, floods, providers that fail, limits.
# usage: npjobd_faults_test.sh NPJOBD NPA_CLIENT
. "$(dirname "$(realpath "$0")")/npjobd_support.sh"
handshake=$here/../corpus/npa/samba-4.17-guest-smb3-11

# A provider whose addjob is the given lines of sh, in the folder.
addjob_is()
{
    printf '%s\n' '#!/bin/sh' "cd '$folder'" "$@" >addjob
}

# ---------------------------------------------------------------------------------------------- the handshake

nonsense()
{
    configure 'handshake timeout = 3600' && fresh_start && configure 'handshake timeout = 2' && reload || return 1
    echo 'GET / HTTP/1.0' | client 4 --raw && head -c 2000000 /dev/urandom | client 4 --raw &&
        printf '\377\377\377\377NPAM' | client 4 --raw && printf '\0\0\0\2NP' | client 4 --raw &&
        head -c 100000 /dev/zero | client 4 --raw && has 'outcome=refused' 5 && [ "$(number handshakes_refused)" = 5 ] && [ "$(number refused)" = 5 ]
}

# However many bytes of it come, what is no whole handshake makes no job.
cut_short()
{
    local length
    for length in 0 1 3 4 8 20 47 60 100 300; do
        client 4 --cut $length </dev/null || return 1
    done
    has 'the connection has ended within the handshake' 10
}

wrong_level()
{
    client 4 --level 5 </dev/null && client 4 --level 9 </dev/null && has 'level' 2
}

too_slow()
{
    client 4 --silent </dev/null && has 'the handshake takes too long'
}

no_job_of_all_that()
{
    has_not 'job=' && [ ! -s calls ] && [ "$(number live)" = 0 ] && echo job | client 0 && calls 'schedule 1'
}

# Only smbd, root and ourselves: the socket's mode keeps others out, and so does who they are.
stranger()
{
    chmod 711 "$folder" n && chmod 755 n/np && chmod 666 n/np/laser control || return 1
    cp "$NPA_CLIENT" "$NPJOBD" conf "$folder"
    chmod 755 "$folder/${NPA_CLIENT##*/}" "$folder/${NPJOBD##*/}"
    setpriv --reuid 65534 --clear-groups "$folder/${NPA_CLIENT##*/}" "$folder/n/np/laser" </dev/null
    [ $? -eq 4 ] && has 'peer_uid=65534 outcome=refused reason="this user may not connect"' &&
        ! setpriv --reuid 65534 --clear-groups "$folder/${NPJOBD##*/}" status --config conf && has 'control: user 65534 may not ask'
}

# A daemon that is not root's is its own user's as well, who may print and ask.
own_user()
{
    local npjobd=$NPJOBD verdict
    cp "$NPA_CLIENT" "$NPJOBD" "$folder" && chmod 755 "$folder/${NPA_CLIENT##*/}" "$folder/${NPJOBD##*/}" || return 1
    NPJOBD=$folder/${npjobd##*/}
    rm -rf n control && configure 'smbd user = 12345' && make_provider && chown -R 65534 "$folder" && start setpriv --reuid 65534 --clear-groups &&
        echo job | setpriv --reuid 65534 --clear-groups "$folder/${NPA_CLIENT##*/}" n/np/laser && calls 'schedule 1' &&
        setpriv --reuid 65534 --clear-groups "$NPJOBD" status --config conf && echo job | client 0 && calls 'schedule 1' 'schedule 2' &&
        is scheduled 2 && stop
    verdict=$?
    NPJOBD=$npjobd
    chown -R 0 "$folder"
    return $verdict
}

# ---------------------------------------------------------------------------------------------- providers

# refused PATTERN: a client whose job never came to be.
refused()
{
    local before
    before=$(grep -c 'job=' log)
    timeout 60 "$NPA_CLIENT" n/np/laser <big >/dev/null
    has 'job=' $((before + 1)) && tail -n 1 log | grep -qE "outcome=refused .*$1" || { tail -n 1 log; return 1; }
}

addjob_fails()
{
    configure - 'command timeout = 1' && fresh_start && head -c 4000000 /dev/zero >big || return 1
    addjob_is 'echo no such queue >&2; exit 1'
    refused 'exit code 1.*no such queue' || return 1
    addjob_is 'exit 75'
    refused 'exit code 75' && tail -n 1 log | grep -q STATUS_PIPE_NOT_AVAILABLE || return 1
    addjob_is 'exit 77'
    refused 'exit code 77' && tail -n 1 log | grep -q STATUS_ACCESS_DENIED || return 1
    addjob_is 'exec sleep 600'
    refused '' && tail -n 1 log | grep -q STATUS_IO_TIMEOUT || return 1
    addjob_is 'kill -KILL $$'
    refused ''
}

addjob_prints_rubbish()
{
    addjob_is 'echo hello'
    refused '' && tail -n 1 log | grep -q STATUS_UNSUCCESSFUL && addjob_is 'echo relative; echo 1' && refused '' && addjob_is 'echo /tmp; echo none' &&
        refused '' && addjob_is 'exec head -c 100000 /dev/zero' && refused '' && addjob_is 'true' && refused '' || return 1
    rm addjob
    refused '' && [ ! -s calls ]
}

# AddJob goes on when the client does not: only then is it known what there is to be taken back. What is told is what went
# wrong first.
addjob_outlives_its_client()
{
    configure - 'complete = ps' && reload && make_provider && is live 0 || return 1
    sed -i '2a: >begun; until [ -e go ]; do sleep 0.02; done' addjob
    leaves_within_addjob && until_so grep -qx 'abandon [0-9]* STATUS_NETWORK_NAME_DELETED' calls && is live 0 || return 1
    sed -i '3aexit 77' addjob
    leaves_within_addjob && is live 0 && tail -n 1 log | grep 'status=STATUS_NETWORK_NAME_DELETED outcome=refused .*exit code 77'
}

leaves_within_addjob()
{
    rm -f begun go && printf '%%!PS' | client 0 && until_so test -e begun && sleep 0.2 && : >go
}

# It has a job, but no pipe that can be opened: the job is abandoned.
addjob_without_a_pipe()
{
    configure - 'connect timeout = 1' 'max job memory = 1M' && reload && make_provider &&
        addjob_is "echo $folder/nothing; echo 7" && chmod +x addjob && echo job | hasty_client &&
        calls 'abandon 7 STATUS_IO_TIMEOUT' && addjob_is "echo $folder/conf; echo 8" && echo job | hasty_client &&
        calls 'abandon 7 STATUS_IO_TIMEOUT' 'abandon 8 STATUS_INVALID_DEVICE_REQUEST'
}

# What a provider says of its own is shown, and stays within its line.
words_stay_in_their_line()
{
    local lines
    is live 0
    addjob_is "printf 'evil\"\\033[31m\\nstatus=STATUS_SUCCESS outcome=scheduled' >&2; exit 1"
    lines=$(wc -l <log)
    echo job | hasty_client --address '"; job=9' && until_so test_lines $((lines + 1)) && is live 0 && test_lines $((lines + 1)) &&
        ! LC_ALL=C grep -q '[^[:print:]]' log && has_not '^[^"]*outcome=scheduled'
}

test_lines() # NUMBER
{
    [ "$(wc -l <log)" -eq "$1" ]
}

# The reader dies in the middle: the client hears of it, the provider as well.
pipe_breaks()
{
    make_provider
    close_gate
    "$NPA_CLIENT" n/np/laser <big >said &
    local pid=$! code
    held_up 1 16 && kill -KILL "$(tail -n 1 readers)"
    open_gate
    wait $pid
    code=$?
    [ $code -eq 5 ] && until_so grep -q '^abandon [0-9]* STATUS_PIPE_BROKEN$' calls && has 'Broken pipe'
}

pipe_stalls()
{
    configure - 'stall timeout = 1' 'max job memory = 1M' && reload && make_provider && close_gate &&
        client 5 <big && until_so grep -q '^abandon [0-9]* STATUS_IO_TIMEOUT$' calls
    local verdict=$?
    open_gate
    [ $verdict -eq 0 ] && has ' warning job=.*status=STATUS_IO_TIMEOUT outcome=abandoned'
}

# The whole job has come, and lies there.
pipe_never_drains()
{
    configure - 'drain timeout = 1' && reload && make_provider && close_gate && head -c 200000 /dev/zero | client 0 &&
        until_so grep -q '^abandon [0-9]* STATUS_IO_TIMEOUT$' calls
    local verdict=$?
    open_gate
    return $verdict
}

# The daemon finds the reader dead and more bytes of the client at one time: the job failed of the first.
pipe_breaks_as_bytes_come()
{
    stop && configure && fresh_start && close_gate && rm -f more && mkfifo more || return 1
    "$NPA_CLIENT" n/np/laser <more >said &
    local pid=$!
    exec 4>more
    head -c 200000 /dev/zero >&4
    until_so test -e waits.laser-1 && is bytes 200000 && kill -STOP "$npjobd_pid" && kill -KILL "$(tail -n 1 readers)" || return 1
    sleep 0.2 # what the reader has started holds the pipe as well
    head -c 150000 /dev/zero >&4
    exec 4>&-
    sleep 0.2
    kill -CONT "$npjobd_pid"
    wait $pid
    open_gate
    calls 'abandon 1 STATUS_PIPE_BROKEN' && has 'status=STATUS_PIPE_BROKEN outcome=abandoned .*reason="write: Broken pipe"' && held_up 0 0
}

schedule_fails()
{
    make_provider
    printf '#!/bin/sh\nexit 1\n' >schedule
    echo job | client 0 && until_so grep -q '^abandon [0-9]* STATUS_UNSUCCESSFUL$' calls
}

# smbd, or its child, dies in the middle of a job.
smbd_dies()
{
    configure - 'complete = ps' && reload && make_provider && mkfifo half && rm -f said || return 1
    "$NPA_CLIENT" n/np/laser <half >said &
    local pid=$!
    exec 4>half
    printf '%%!PS-Adobe-3.0\n' >&4
    until_so grep -qs open said && kill -KILL $pid
    wait $pid 2>/dev/null
    exec 4>&-
    until_so grep -q '^abandon [0-9]* STATUS_NETWORK_NAME_DELETED$' calls && stop
}

# ---------------------------------------------------------------------------------------------- limits

# A client that is faster than its printer waits, and the daemon holds what it may and no more; 64 KiB are in the FIFO.
back_pressure()
{
    configure - 'max job memory = 1M' && fresh_start && close_gate && head -c 20000000 /dev/urandom >big || return 1
    "$NPA_CLIENT" n/np/laser <big >said &
    local pid=$!
    held_up 1 16 && [ "$(number bytes)" -le $((1048576 + 65536)) ] && kill -0 $pid && open_gate && wait $pid && arrived laser-1 big && calls 'schedule 1' &&
        "$NPJOBD" status --config conf --json | grep -q '"buffer_bytes_live":0,"buffer_bytes_peak":1048832,'
}

# It holds a place that others may want. One whose bytes wait for the pipe is not silent, nor is it as soon as they have
# left.
silent_client()
{
    configure - 'idle timeout = 3' && fresh_start || return 1
    { echo begun; sleep 6; } | hasty_client
    has 'status=STATUS_IO_TIMEOUT outcome=abandoned .*reason="the client sends nothing"' &&
        calls 'abandon 1 STATUS_IO_TIMEOUT' && close_gate || return 1
    rm -f end late && mkfifo end late
    { head -c 200000 /dev/zero; cat end; } | client 0 & # more than the pipe holds
    local pid=$! late
    until_so test -e waits.laser-2
    { head -c 200000 /dev/zero; cat late; } | "$NPA_CLIENT" n/np/laser >said.late &
    late=$!
    sleep 5
    : >end # its end comes while its bytes wait
    has_not 'job=[23]' && open_gate && wait $pid && sleep 1.5 && : >late && wait $late &&
        calls 'abandon 1 STATUS_IO_TIMEOUT' 'schedule 2' 'schedule 3' && stop
}

# One who has sent all may be long about nothing: it is the provider who is.
silence_behind_the_end()
{
    configure - 'idle timeout = 1' && fresh_start && sed -i '2isleep 1.5' schedule && echo job | client 0 && calls 'schedule 1' &&
        has 'outcome=scheduled' && stop
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

# smbd has said in time who it is, but the daemon was stopped.
deaf_daemon()
{
    configure 'handshake timeout = 2' && fresh_start && rm -f end && mkfifo end || return 1
    { head -c 100 "$handshake"; cat end; } | client 6 --raw & # there is a reply, where it expects none
    local pid=$!
    is live 1 && kill -STOP "$npjobd_pid" || return 1
    tail -c +101 "$handshake" >end
    sleep 3
    kill -CONT "$npjobd_pid"
    wait $pid && is live 0 && [ "$(number handshakes_refused)" = 0 ] && stop
}

# The client has sent all in time.
silent_daemon()
{
    configure - 'idle timeout = 2' && fresh_start && rm -f end && mkfifo end || return 1
    { echo begun; cat end; } | client 0 &
    local pid=$!
    until_so grep -qs begun out.laser-1 && kill -STOP "$npjobd_pid" || return 1
    echo ended >end
    sleep 3
    kill -CONT "$npjobd_pid"
    wait $pid && calls 'schedule 1' && has 'bytes=12 .*outcome=scheduled' && stop
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
        [ "$(grep -c 'outcome=refused reason="max jobs"' log)" -eq "$2" ] || return 1
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

# descriptors SOFT: of the daemon's limits, the one that holds.
descriptors()
{
    [ "$(awk '/^Max open files/ { print $4 }' "/proc/$npjobd_pid/limits")" -eq "$1" ]
}

# It takes as many as it needs, if it may, and no more; three for each job, and 40 for itself and one for each printer.
descriptors_are_taken()
{
    configure 'max jobs = 5' && fresh_start prlimit --nofile=50:1000 && descriptors 56 && [ "$(limit)" -eq 5 ] && configure &&
        reload && descriptors 425 && [ "$(limit)" -eq 128 ] && has_not suffice && stop
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

check 'nonsense in place of a handshake' nonsense
check 'a handshake that is cut short' cut_short
check 'levels that nobody knows' wrong_level
check 'silence' too_slow
check 'make no job, and the next one prints' no_job_of_all_that
if [ "$(id -u)" -eq 0 ]; then
    check 'strangers are kept out' stranger
fi
check 'it stops' stop
if [ "$(id -u)" -eq 0 ]; then
    check 'one that is not root serves its own user' own_user
fi
check 'addjob fails, in every way' addjob_fails
check 'addjob prints rubbish' addjob_prints_rubbish
check 'addjob outlives its client' addjob_outlives_its_client
check 'addjob has no pipe' addjob_without_a_pipe
check 'what others say stays in its line' words_stay_in_their_line
check 'the reader of the pipe dies' pipe_breaks
check 'the reader of the pipe sleeps' pipe_stalls
check 'and goes on sleeping' pipe_never_drains
check 'schedule fails' schedule_fails
check 'the reader dies while bytes come' pipe_breaks_as_bytes_come
check 'smbd dies' smbd_dies
check 'a client that sends nothing' silent_client
check 'and needs not any more' silence_behind_the_end
check 'a connection that is reset' reset_connection
check 'a daemon that stood still: the handshake' deaf_daemon
check 'the job' silent_daemon
check 'back-pressure' back_pressure
check 'memory for each job' memory_for_each
check 'max jobs' too_many
check 'descriptors are taken as needed' descriptors_are_taken
check 'hardly any descriptors' hardly_any_descriptors
check 'and new printers' hardly_any_for_new_printers
check 'few descriptors' few_descriptors
check 'no descriptors' no_descriptors
check 'a flood' flood
check 'a log that is full' log_ends
check 'a log that nobody reads' log_breaks
finish
