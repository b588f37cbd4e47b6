#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# npjobd from outside: strangers, nonsense, providers that fail.
# usage: npjobd_faults_test.sh NPJOBD NPA_CLIENT
. "$(dirname "$(realpath "$0")")/npjobd_support.sh"

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
    [ $? -eq 4 ] && has 'printer=laser peer_uid=65534 outcome=refused reason="this user may not connect"' &&
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

# smbd, or its child, dies in the middle of a job, of which a part is printed.
smbd_dies()
{
    configure - 'complete = ps' && reload && make_provider && mkfifo half && rm -f said || return 1
    "$NPA_CLIENT" n/np/laser <half >said &
    local pid=$!
    exec 4>half
    printf '%%!PS-Adobe-3.0\n' >&4
    until_so grep -qs open said && until_so eval 'grep -qs PS-Adobe out.*' && kill -KILL $pid
    wait $pid 2>/dev/null
    exec 4>&-
    until_so grep -q '^abandon [0-9]* STATUS_NETWORK_NAME_DELETED$' calls && stop
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
finish
