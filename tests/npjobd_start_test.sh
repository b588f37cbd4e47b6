#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# npjobd from outside: starting; its sockets and folders, and what it is handed by systemd.
# usage: npjobd_start_test.sh NPJOBD NPA_CLIENT
. "$(dirname "$(realpath "$0")")/npjobd_support.sh"

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
        fails_to_start 1 'laser: another process listens there' conf2 && is handshakes_refused 1 &&
        fails_to_start 1 'control: another process listens' && ! grep laser err &&
        [ -S n/np/laser ] && [ ! -e control2 ] && echo job | client 0 && calls 'schedule 1' 'schedule 2' &&
        [ "$(number handshakes_refused)" = 1 ] && stop
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
    until_so test -S n/np/laser && [ "$(find "/proc/$npjobd_pid/fd" -lname /dev/null -perm -600 | wc -l)" -eq 3 ] && echo job | client 0 && calls 'schedule 1' && stop
}

# Without SIGCHLD no command would be seen to end, and without SIGTERM it would not stop.
signals_are_blocked()
{
    fresh_start python3 -c '
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP))
os.execv(sys.argv[1], sys.argv[1:])' && echo job | client 0 && calls 'schedule 1' && reload && stop
}

# A signal that comes before it serves ends it as any other. Each socket in the folder that is locked takes it a while.
stops_within_its_start()
{
    local number others=()
    for number in {1..10}; do
        others+=("[p$number]" 'addjob command = a' 'schedule command = s' 'abandon command = a')
    done
    configure - "${others[@]}"
    : >log
    flock n/np sleep 30 &
    local holder=$!
    until_so eval '! flock -n n/np true' || return 1
    "$NPJOBD" --config conf 2>>log &
    npjobd_pid=$!
    until_so test -S control && kill -TERM "$npjobd_pid" && ends 1 && [ ! -e control ] && has 'npjobd ends$'
    local verdict=$?
    pkill -P $holder sleep
    wait $holder
    configure
    return $verdict
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
    prlimit --nofile=50:1000 python3 - "$NPJOBD" <<'END' 2>>log &
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
        descriptors $((40 + 3 + 3 * 128)) &&
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
    has 'handed over for printer laser, which has another' && [ "$(grep -c 'which has another' log)" -eq 1 ] && turned_away second
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

check 'a stale socket is replaced' stale_socket_is_replaced
check 'a live one is an error, and lives on' live_socket_is_an_error
check 'a file in the way is an error, and stays' file_in_the_way_is_an_error
check 'a locked folder is an error' locked_folder_is_an_error
check 'no folder is an error' no_folder_is_an_error
check 'too long a path is an error' long_path_is_an_error
check 'folders and sockets are made as smbd wants them' folders_are_as_smbd_wants_them
check 'closed standard streams' standard_streams_are_closed
check 'blocked signals' signals_are_blocked
check 'a signal within its start' stops_within_its_start
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
