#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# npjobd from outside: reading its configuration again, stopping.
# usage: npjobd_stop_test.sh NPJOBD NPA_CLIENT
. "$(dirname "$(realpath "$0")")/npjobd_support.sh"

# A client that has sent the first half of a job, which the provider has, and waits: end_client has it send the rest.
hold_client() # JOB
{
    ask_client && until_so grep -q first "out.$1"
}

ask_client()
{
    rm -f more said
    mkfifo more
    "$NPA_CLIENT" n/np/laser <more >said &
    holder=$!
    exec 4>more
    until_so grep -qs open said && printf 'first half, ' >&4
}

end_client() # CODE
{
    local code
    printf 'second half' >&4 2>/dev/null
    exec 4>&-
    wait "$holder"
    code=$?
    [ "$code" -eq "$1" ] || { echo "the client's exit code is $code, not $1"; return 1; }
}

# ---------------------------------------------------------------------------------------------- stopping

# What is printing is printed; nobody else comes in, whatever is configured meanwhile.
drains()
{
    configure && fresh_start && hold_client laser-1 && kill -TERM "$npjobd_pid" && has 'SIGTERM: stopping' &&
        until_so test ! -e n/np/laser && kill -HUP "$npjobd_pid" && tells_that_it_drains && end_client 0 && ends 0 && calls 'schedule 1' &&
        printf 'first half, second half' >job && arrived laser-1 job && has_not 'reload:'
}

tells_that_it_drains()
{
    "$NPJOBD" status --config conf | grep '^npjobd draining, ' && "$NPJOBD" status --config conf --json | grep '^{"state":"draining",'
}

drains_on_interrupt()
{
    fresh_start && kill -INT "$npjobd_pid" && ends 0 && has 'SIGINT: stopping within 30 s; connections and jobs that have not ended: 0$'
}

stop_has_a_limit()
{
    configure 'stop timeout = 1' && fresh_start && hold_client laser-1 && kill -TERM "$npjobd_pid" && ends 0 &&
        calls 'abandon 1 STATUS_SERVER_SHUTDOWN_IN_PROGRESS' && has 'stop timeout: jobs that are abandoned: 1$'
    local verdict=$?
    end_client 5 || end_client 0 # whether it notices depends on when it writes
    return $verdict
}

# One that has failed is abandoned already.
second_signal_aborts()
{
    configure 'stop timeout = 300' - 'complete = ps' && fresh_start && rm -f go && sed -i "2iuntil [ -e '$folder/go' ]; do sleep 0.02; done" abandon &&
        echo 'no PostScript' | client 0 && is bytes 14 && hold_client laser-2 && kill -TERM "$npjobd_pid" &&
        has 'SIGTERM: stopping' && kill -TERM "$npjobd_pid" && has 'SIGTERM once more: jobs that are abandoned: 1$' && : >go && ends 0 &&
        [ "$(sort calls)" = $'abandon 1 STATUS_NETWORK_NAME_DELETED\nabandon 2 STATUS_SERVER_SHUTDOWN_IN_PROGRESS' ] && [ "$(grep -c stopping log)" -eq 1 ]
    local verdict=$?
    exec 4>&-
    wait "$holder"
    return $verdict
}

# Also of one that waits for its pipe to take more, and whose memory comes back then.
second_signal_aborts_what_waits()
{
    configure 'stop timeout = 300' - 'max job memory = 1M' && fresh_start && close_gate && head -c 2000000 /dev/zero >big || return 1
    "$NPA_CLIENT" n/np/laser <big >said &
    local pid=$! verdict
    held_up 1 16 && kill -TERM "$npjobd_pid" && has 'SIGTERM: stopping' && kill -TERM "$npjobd_pid" && ends 0 &&
        calls 'abandon 1 STATUS_SERVER_SHUTDOWN_IN_PROGRESS'
    verdict=$?
    open_gate
    wait $pid
    [ $? -eq 5 ] && return $verdict
}

# Whoever has not said who it is has nothing to lose.
stop_ends_handshakes()
{
    configure && fresh_start || return 1
    "$NPA_CLIENT" --silent n/np/laser &
    "$NPA_CLIENT" --silent n/np/laser &
    is live 2
    kill -TERM "$npjobd_pid" && ends 0 && has 'outcome=refused reason="npjobd stops"' 2
}

stop_within_addjob()
{
    configure 'stop timeout = 1' && fresh_start && printf '#!/bin/sh\necho $$ >slow\nsleep 600 >/dev/null 2>&1\n' >addjob &&
        sed -i "2icd '$folder'" addjob && ask_client && until_so test -s slow && kill -TERM "$npjobd_pid" && ends 0 &&
        has 'job=1 .*outcome=refused' && ! kill -0 "$(cat slow)" 2>/dev/null && [ ! -s calls ]
    local verdict=$?
    exec 4>&-
    wait "$holder"
    return $verdict
}

# ---------------------------------------------------------------------------------------------- reading again

# A job goes on with what it was begun with; its printer may go.
reload_without_the_printer()
{
    configure && fresh_start && hold_client laser-1 &&
        printf '[global]\nncalrpc dir = %s/n\ncontrol socket = %s/control\n[other]\naddjob command = /bin/false\nschedule command = /bin/false\nabandon command = /bin/false\n' \
            "$folder" "$folder" >conf &&
        reload && has 'reload: 1 printer, 0 failures$' && has 'printer laser is removed; connections and jobs that go on: 1$' && [ ! -e n/np/laser ] &&
        [ -S n/np/other ] && end_client 0 && calls 'schedule 1' && has 'outcome=scheduled'
}

reload_with_the_printer_again()
{
    configure && reload && [ -S n/np/laser ] && [ ! -e n/np/other ] && echo again | client 0 &&
        calls 'schedule 1' 'schedule 2'
}

reload_with_new_commands()
{
    configure && hold_client laser-3 && cp schedule schedule.new && sed -i 's/schedule \$/new &/' schedule.new &&
        sed -i 's|/schedule" |/schedule.new" |' conf && reload && echo new | client 0 &&
        calls 'schedule 1' 'schedule 2' 'new schedule 4' && end_client 0 &&
        calls 'schedule 1' 'schedule 2' 'new schedule 4' 'schedule 3'
}

reload_of_rubbish()
{
    echo 'rubbish' >>conf && reload 'the old settings stay' && has 'conf:[0-9]+: ' &&
        echo still | client 0 && has 'outcome=scheduled' 5
}

# Nobody writes to it.
reload_of_a_fifo()
{
    rm conf && mkfifo conf && reload 'the old settings stay: conf: it is a FIFO' && rm conf && configure && reload
}

# Someone has cleaned up /run.
reload_finds_sockets_gone()
{
    configure && rm -r n control && reload && [ -S n/np/laser ] && [ -S control ] && echo back | client 0 && has 'outcome=scheduled' 6
}

reload_moves_sockets()
{
    local before
    number live # whoever asks first has libuv open what it keeps
    before=$(held)
    configure && sed -i "s|^ncalrpc dir = .*|ncalrpc dir = $folder/m|; s|^control socket = .*|control socket = $folder/elsewhere|" conf &&
        reload && [ -S m/np/laser ] && [ ! -e n/np/laser ] && [ ! -e control ] && "$NPJOBD" status --config conf &&
        configure && reload && [ -S n/np/laser ] && [ ! -e m/np/laser ] && until_so holds "$before"
}

# The control socket goes to where a printer was that goes; and back, when the printer comes again.
reload_moves_into_a_gap()
{
    configure && sed -i "s|^control socket = .*|control socket = $folder/n/np/laser|; s|^.laser.$|[other]|" conf &&
        reload && [ ! -e control ] && "$NPJOBD" status --config conf | grep -q '^other ' &&
        configure && reload && "$NPJOBD" status --config conf | grep -q '^laser ' && echo back | client 0 && has 'outcome=scheduled' 7
}

reload_spells_paths_otherwise()
{
    configure && sed -i "s|^ncalrpc dir = .*|ncalrpc dir = $folder/./n/|; s|^control socket = .*|control socket = $folder//control|" conf &&
        reload && tail -n 1 log | grep 'reload: 1 printer, 0 failures' && configure
}

# What is wanted cannot be had: what there is stays.
reload_to_nowhere()
{
    configure && sed -i "s|^ncalrpc dir = .*|ncalrpc dir = $folder/not/there|; s|^control socket = .*|control socket = $folder/not/there/control|" conf &&
        reload ' error reload: .*, 2 failures$' && has 'control socket: .*/not/there' && has 'printer laser keeps its old socket: ' && configure &&
        "$NPJOBD" status --config conf && echo still | client 0 && has 'outcome=scheduled' 8 && reload
}

# nobody_prints: as the user that smbd runs as.
nobody_prints()
{
    chmod 711 "$folder" && cp "$NPA_CLIENT" client && chmod 755 client && echo job | setpriv --reuid nobody --clear-groups "$folder/client" n/np/laser
}

sockets_change_hands()
{
    configure 'smbd user = nobody' && reload && [ "$(stat -c %U n/np/laser)" = nobody ] && [ "$(stat -c %U control n n/np | uniq)" = root ] &&
        rm -r n && reload && [ "$(stat -c %U n n/np n/np/laser | uniq)" = nobody ] && nobody_prints && configure && reload &&
        [ "$(stat -c %U n/np/laser)" = root ] && chown root n n/np
}

# has_no_printer: laser is not told of.
has_no_printer()
{
    ! "$NPJOBD" status --config conf | grep -q '^laser '
}

# A printer that was removed is told of until its jobs have ended, and been counted; if it comes back, it counts on.
removed_printer_is_told_of()
{
    configure "metrics file = $folder/metrics" 'metrics interval = 1' && cp conf conf.laser &&
        sed 's/^\[laser\]/[other]/' conf >conf.other && fresh_start && hold_client laser-1 && cp conf.other conf && reload &&
        is live 1 && is bytes 12 && end_client 0 && is scheduled 1 && is live 0 &&
        until_so grep -q '^npjobd_jobs_total{printer="laser",outcome="scheduled"} 1$' metrics && reload && has_no_printer
}

removed_printer_comes_back()
{
    cp conf.laser conf && reload && is scheduled 0 && hold_client laser-2 && cp conf.other conf && reload &&
        [ ! -e n/np/laser ] && cp conf.laser conf && reload && [ -S n/np/laser ] && is live 1 && is connections 1 &&
        echo again | client 0 && is connections 2 && is scheduled 1 && end_client 0 && is scheduled 2 &&
        [ "$("$NPJOBD" status --config conf | grep -c '^laser ')" -eq 1 ]
}

# What was begun before a reload lives on beside what is new.
peaks_are_peaks()
{
    local clients=() live
    configure - 'max job memory = 1M' '[other]' 'addjob command = a' 'schedule command = s' 'abandon command = a' && fresh_start &&
        close_gate && head -c 2000000 /dev/zero >big || return 1
    "$NPA_CLIENT" n/np/laser <big >said.1 &
    clients+=($!)
    held_up 1 16 && reload || return 1
    "$NPA_CLIENT" n/np/laser <big >said.2 &
    clients+=($!)
    held_up 2 32 && live=$(number packets_live) && [ "$live" -gt 16 ] && [ "$(number packets_peak)" -ge "$live" ] &&
        "$NPJOBD" status --config conf --json | grep -q '"name":"other",[^}]*"packets_live":0,' &&
        [ "$(number pool_bytes_peak)" -ge "$(number pool_bytes_live)" ] && open_gate && wait "${clients[@]}" && stop
}

# Where it cannot, it is tried again. Stopping takes one that is away as it is.
removed_printer_comes_back_late()
{
    hold_client laser-4 && cp conf.other conf && reload && echo mine >n/np/laser && cp conf.laser conf &&
        reload ', 1 failure$' && has 'printer laser is not there again: .*laser is there, and no socket' && is live 1 &&
        rm n/np/laser && reload && [ -S n/np/laser ] && cp conf.other conf && reload && kill -TERM "$npjobd_pid" &&
        has 'SIGTERM: stopping' && end_client 0 && ends 0 &&
        grep -q '^npjobd_jobs_total{printer="laser",outcome="scheduled"} 3$' metrics
}

check 'SIGTERM: a job in the middle is printed' drains
check 'SIGINT is the same' drains_on_interrupt
check 'stop timeout: then it is abandoned' stop_has_a_limit
check 'a second SIGTERM: it is abandoned at once' second_signal_aborts
check 'also if it waits for its pipe' second_signal_aborts_what_waits
check 'a handshake is not waited for' stop_ends_handshakes
check 'a command is ended with its job' stop_within_addjob
check 'SIGHUP: a printer goes, its job does not' reload_without_the_printer
check 'it comes back' reload_with_the_printer_again
check 'new commands are for new jobs' reload_with_new_commands
check 'rubbish changes nothing' reload_of_rubbish
check 'nor does a file that is none' reload_of_a_fifo
check 'sockets that were removed are made again' reload_finds_sockets_gone
check 'sockets move' reload_moves_sockets
check 'also to where another was' reload_moves_into_a_gap
check 'but not if only the path is spelled otherwise' reload_spells_paths_otherwise
check 'and not to where they cannot be' reload_to_nowhere
if [ "$(id -u)" -eq 0 ]; then
    check 'they change hands' sockets_change_hands
fi
check 'it stops' stop
check 'a printer that was removed is told of' removed_printer_is_told_of
check 'and comes back as it was' removed_printer_comes_back
check 'or cannot, and stops with the others' removed_printer_comes_back_late
check 'no peak is below what lives' peaks_are_peaks
finish
