#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# npjobd from outside: starting, reading its configuration again, stopping; sockets of its own and of systemd.
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

second_signal_aborts()
{
    configure 'stop timeout = 300' && fresh_start && hold_client laser-1 && kill -TERM "$npjobd_pid" &&
        has 'SIGTERM: stopping' && kill -TERM "$npjobd_pid" && ends 0 &&
        calls 'abandon 1 STATUS_SERVER_SHUTDOWN_IN_PROGRESS' && has 'SIGTERM once more: jobs that are abandoned: 1$' && [ "$(grep -c stopping log)" -eq 1 ]
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
        "$NPJOBD" status --config conf && echo still | client 0 && has 'outcome=scheduled' 7 && reload
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

# ---------------------------------------------------------------------------------------------- sockets

stale_socket_is_replaced()
{
    local usual
    configure && fresh_start && usual=$(held) && stop &&
        python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('n/np/laser')" && [ -S n/np/laser ] &&
        fresh_start && until_so holds "$usual" && echo job | client 0 && calls 'schedule 1'
}

# fails_to_start CODE PATTERN
fails_to_start()
{
    local code
    timeout 60 "$NPJOBD" --config "${3:-conf}" 2>err
    code=$?
    [ "$code" -eq "$1" ] && grep -qE "$2" err && ! grep -qE 'Sanitizer|runtime error' err || { echo "exit code $code"; cat err; return 1; }
}

live_socket_is_an_error()
{
    sed "s|^control socket = .*|control socket = $folder/control2|" conf >conf2 &&
        fails_to_start 1 'laser: another process listens there' conf2 && fails_to_start 1 'control: another process listens' &&
        [ -S n/np/laser ] && [ ! -e control2 ] && echo job | client 0 && calls 'schedule 1' 'schedule 2' && stop
}

file_in_the_way_is_an_error()
{
    echo precious >n/np/laser && fails_to_start 1 'laser is there, and no socket' && grep -q precious n/np/laser &&
        rm n/np/laser
}

# Anybody who may read the folder may lock it, but keeps nobody waiting.
locked_folder_is_an_error()
{
    flock "$folder" sleep 30 &
    local holder=$!
    until_so eval '! flock -n "$folder" true' && fails_to_start 1 'control: cannot lock its folder'
    local verdict=$?
    pkill -P $holder sleep
    wait $holder
    return $verdict
}

no_folder_is_an_error()
{
    sed "s|^ncalrpc dir = .*|ncalrpc dir = $folder/not/there|" conf >conf2 && fails_to_start 1 'printer laser: ' conf2 &&
        grep -q 'not/there: cannot be made: No such file or directory' err && ! grep -q 'np: cannot be made' err
}

long_path_is_an_error()
{
    sed "s|^ncalrpc dir = .*|ncalrpc dir = $folder/$(printf '%0100d' 0)|" conf >conf2 &&
        fails_to_start 2 'conf2:2: .*at most' conf2
}

# modes MODE FILE...: all have that one.
modes()
{
    [ "$(stat -c %a "${@:2}" | uniq)" = "$1" ] || { stat -c '%a %n' "${@:2}"; return 1; }
}

# Whatever the umask is. What is put in the place of a socket stays.
folders_are_as_smbd_wants_them()
{
    local mask
    for mask in 000 077; do
        rm -rf n c && configure && sed -i "s|^control socket = .*|control socket = $folder/c/control|" conf &&
            fresh_start "$BASH" -c "umask $mask && exec \"\$@\"" bash && modes 755 n && modes 700 n/np c && modes 600 n/np/laser c/control &&
            rm c/control && echo mine >c/control && stop && grep mine c/control || return 1
    done
    configure
}

# It goes on without the streams, and makes no socket of one.
standard_streams_are_closed()
{
    make_provider
    reloads=0
    "$NPJOBD" --config conf <&- >&- 2>&- &
    npjobd_pid=$!
    : >log
    until_so test -S n/np/laser && echo job | client 0 && calls 'schedule 1' && stop
}

# Without SIGCHLD no command would be seen to end, and without SIGTERM it would not stop.
signals_are_blocked()
{
    fresh_start python3 -c '
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP))
os.execv(sys.argv[1], sys.argv[1:])' && echo job | client 0 && calls 'schedule 1' && reload && stop
}

# only_one_is NUMBER: no descriptor of the daemon leads to where that one does.
only_one_is()
{
    [ "$(readlink "/proc/$npjobd_pid/fd/"* | grep -cxF -- "$(readlink "/proc/$npjobd_pid/fd/$1")")" -eq 1 ]
}

# As systemd does it: sockets that listen already, by name, and one that is none of ours. Another process has them too, and
# shuts the first one down when the file "shut" is there.
activated()
{
    make_provider
    reloads=0
    : >log
    python3 - "$NPJOBD" <<'END' 2>>log &
import os, socket, sys, time
sockets = []
for number, name in ((3, 'laser'), (4, 'stranger'), (5, 'second')):
    s = socket.socket(socket.AF_UNIX)
    s.bind('n/np/' + name)
    s.listen()
    sockets.append(s)
    os.dup2(s.fileno(), number + 20)
mute = socket.socket(socket.AF_UNIX)
os.dup2(mute.fileno(), 27)
daemon = os.getpid()
if os.fork() == 0:
    while os.getppid() == daemon and not os.path.exists('shut'):
        time.sleep(0.05)
    sockets[0].shutdown(socket.SHUT_RDWR)
    os._exit(0)
for number in (3, 4, 5, 7):
    os.dup2(number + 20, number)
    os.close(number + 20)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='5', LISTEN_FDNAMES='laser:stranger:laser:')
os.dup2(0, 6)
os.execv(sys.argv[1], [sys.argv[1], '--config', 'conf'])
END
    npjobd_pid=$!
    has 'npjobd serves' && has 'descriptor [67], handed over as "", is no listening Unix stream socket' 2 && has 'stranger' && only_one_is 0 &&
        echo 'env >environment' >>addjob && echo job | client 0 && calls 'schedule 1' && ! grep LISTEN environment
}

# What was said to another process, which has not told its children so, is not for this one.
activated_by_another()
{
    local given
    configure || return 1
    for given in 'LISTEN_PID=1 LISTEN_FDS=1' LISTEN_PID=1 LISTEN_FDS=1; do
        # shellcheck disable=SC2086
        fresh_start env $given && has_not 'descriptor 3' && stop || return 1
    done
}

# Whoever connects to what is no printer's must not wait: smbd does.
turned_away() # SOCKET
{
    timeout 10 python3 -c "
import socket
s = socket.socket(socket.AF_UNIX)
s.connect('n/np/$1')
assert s.recv(1) == b''"
}

activated_twice_is_turned_away()
{
    has 'handed over for printer laser, which has another' && turned_away second
}

# As soon as there is a descriptor for it.
turned_away_late()
{
    prlimit --pid "$npjobd_pid" --nofile=10: || return 1
    turned_away stranger &
    has 'connections wait: Too many open files' && prlimit --pid "$npjobd_pid" --nofile=64: && wait $!
}

activated_printer_comes_and_goes()
{
    cp conf conf.laser && sed -i 's/^\[laser\]/[other]/' conf && reload && has 'printer laser is removed' && cp conf.laser conf &&
        reload && echo job | client 0 && calls 'schedule 1' 'schedule 2'
}

# It is readable for ever, and nothing can be accepted: that is one line, no work to speak of, and no harm to others.
activated_socket_fails()
{
    local before
    : >shut
    has 'descriptor 3, handed over, accepts nothing: it was shut down' || return 1
    before=$(cpu_ticks)
    sleep 2.5
    [ $(($(cpu_ticks) - before)) -lt 50 ] && [ "$(grep -c 'accepts nothing' log)" -eq 1 ] && turned_away stranger
}

cpu_ticks()
{
    awk '{ print $14 + $15 }' "/proc/$npjobd_pid/stat"
}

activated_socket_stays()
{
    kill -TERM "$npjobd_pid"
    wait "$npjobd_pid" && npjobd_pid= && [ -S n/np/laser ] && rm -f n/np/laser n/np/stranger n/np/second
}

# The service manager hears when it is ready, when it reads again and when it stops.
notifies() # NAME, that of a file or, after @, an abstract one
{
    local before
    rm -f listening
    python3 -c "
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('$1'.replace('@', '\\0'))
open('listening', 'w').close()
for _ in range(4):
    print(s.recv(100).decode(), flush=True)
" >notified &
    until_so test -e listening && export NOTIFY_SOCKET=$1 && fresh_start && before=$(held) && reload && until_so eval '[ "$(held)" -le "$before" ]' && stop
    local verdict=$?
    unset NOTIFY_SOCKET
    printf '%s\n' READY=1 RELOADING=1 READY=1 STOPPING=1 >wanted
    [ $verdict -eq 0 ] && until_so cmp -s wanted notified && fresh_start env "NOTIFY_SOCKET=$1.not" && stop &&
        has 'the service manager does not hear "STOPPING=1": '
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
check 'a stale socket is replaced' stale_socket_is_replaced
check 'a live one is an error, and lives on' live_socket_is_an_error
check 'a file in the way is an error, and stays' file_in_the_way_is_an_error
check 'a locked folder is an error' locked_folder_is_an_error
check 'no folder is an error' no_folder_is_an_error
check 'too long a path is an error' long_path_is_an_error
check 'folders and sockets are made as smbd wants them' folders_are_as_smbd_wants_them
check 'closed standard streams' standard_streams_are_closed
check 'blocked signals' signals_are_blocked
check 'sockets that were handed over to another' activated_by_another
check 'a socket that was handed over' activated
check 'of no printer turns clients away' turned_away stranger
check 'and so does the second of one printer' activated_twice_is_turned_away
check 'though it may have to wait' turned_away_late
check 'is kept while its printer is away' activated_printer_comes_and_goes
check 'that fails is left alone' activated_socket_fails
check 'and is not ours to remove' activated_socket_stays
check 'the service manager is told' notifies "$folder/notify"
check 'wherever it listens' notifies "@$folder"
finish
