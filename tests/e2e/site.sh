# SPDX-License-Identifier: MIT
# Sourced by the end-to-end tests and by scripts/soak: a real smbd and a real npjobd in a folder of their own, as root or
# not. The caller sets npjobd (the program), reader (tests/reader.c) and here (this folder). What is started is in $site
# and ends by its pid:
#
#     $site/smb.conf npjobd.conf          how the two are told
#     $site/smbd.log npjobd.log           what they say
#     $site/smbd.pid npjobd.pid           who they are
#     $site/run/ncalrpc/np/PRINTER        the sockets behind which npjobd stands
#     $site/jobs/printed, abandoned       what has become of the jobs (see provider)
#     $site/frail                         the jobs of the printer "frail", whose readers are killed

# A socket's path has at most 107 bytes, and those of smbd are the longest here.
site_open()
{
    site=$(mktemp -d "${TMPDIR:-/tmp}/npj.XXXXXX")
    if [ ${#site} -gt 60 ]; then
        rmdir "$site"
        site=$(mktemp -d /tmp/npj.XXXXXX)
    fi
    jobs=$site/jobs
    mkdir -p "$site/private" "$site/run/ncalrpc" "$site/frail" "$jobs/printed" "$jobs/abandoned"
    echo 0 >"$jobs/counter"
    ln -s "$jobs/printed" "$jobs/abandoned" "$jobs/counter" "$site/frail/"
}

# Ends what runs and removes the folder, also where set -e is on and something does not end by itself.
site_close()
{
    local file
    for file in "$site"/*.pid "$jobs/resident.pid" "$jobs"/[0-9]*/pid "$site"/frail/[0-9]*/pid; do
        end "$file" TERM || true
    done
    rm -rf "$site"
}

# until_true SECONDS COMMAND...: tries the command until it succeeds, for at most so long.
until_true()
{
    local last=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$last" ] || return 1
        sleep 0.02
    done
}

# running FILE: is the process whose pid is in FILE there, and no zombie?
running()
{
    [ -s "$1" ] && grep -q '^State:[[:space:]][^ZX]' "/proc/$(cat "$1")/status" 2>/dev/null
}

ended()
{
    ! running "$1"
}

# end FILE SIGNAL: sends the signal to the process whose pid is in FILE, waits for its end, and kills what has not ended
# by then.
end()
{
    local pid status=0
    running "$1" || return 0
    pid=$(cat "$1")
    kill "-$2" "$pid"
    if ! until_true 15 ended "$1"; then
        echo "$1 does not end on SIG$2" >&2
        kill -KILL "$pid"
        until_true 5 ended "$1"
        status=1
    fi
    rm -f "$1"
    return "$status"
}

# ------------------------------------------------------------------------------------------------ smbd

smbd_configure()
{
    cat >"$site/smb.conf" <<END
[global]
    server role = standalone server
    netbios name = E2E
    interfaces = 127.0.0.1/8
    bind interfaces only = yes
    smb ports = $port
    disable netbios = yes
    private dir = $site/private
    state directory = $site/private
    cache directory = $site/private
    lock directory = $site/run
    pid directory = $site/run
    ncalrpc dir = $site/run/ncalrpc
    passdb backend = tdbsam:$site/private/passdb.tdb
    log file = $site/smbd.log
    map to guest = Bad User
    guest account = $(id -un)
    load printers = no
    printcap name = /dev/null
    disable spoolss = yes
    rpc start on demand helpers = no
    server min protocol = NT1
    client min protocol = NT1
    large readwrite = no
END
}

listening()
{
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

smbd_settled()
{
    ! running "$site/smbd.pid" || { [ -d "$site/run/ncalrpc/np" ] && listening; }
}

# Starts smbd at the port of before.
smbd_restart()
{
    smbd --foreground --log-basename="$site" --configfile="$site/smb.conf" </dev/null >"$site/smbd.out" 2>&1 &
    echo $! >"$site/smbd.pid"
    disown
    until_true 20 smbd_settled && running "$site/smbd.pid"
}

# Starts smbd at a free port, with a user for those who cannot come as a guest. Another program may be quicker in taking
# the port: then it is another one.
smbd_start()
{
    for _ in 1 2 3 4 5; do
        port=$(/usr/bin/python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
        smbd_configure
        if smbd_restart; then
            printf 'secret\nsecret\n' | pdbedit --configfile="$site/smb.conf" -a -t -u "$(id -un)" >"$site/pdbedit.out"
            return
        fi
    done
    cat "$site/smbd.out" >&2
    return 1
}

smbd_stop()
{
    end "$site/smbd.pid" TERM
}

# smbd and its children, which are in a process group of their own, end without a word.
smbd_kill()
{
    kill -KILL -- "-$(cat "$site/smbd.pid")"
    until_true 5 ended "$site/smbd.pid"
}

# ------------------------------------------------------------------------------------------------ npjobd

# npjobd_start [LIMIT]: with at most LIMIT files open, if given.
npjobd_start()
{
    rm -f "$site/npjobd.pid" "$site/npjobd.exit"
    (
        [ -z "${1-}" ] || ulimit -n "$1"
        bash -c 'echo $$ >"$1"; exec "$2" --config "$3"' bash "$site/npjobd.pid" "$npjobd" "$site/npjobd.conf" \
            </dev/null >>"$site/npjobd.log" 2>&1
        echo $? >"$site/npjobd.exit"
    ) &
    disown
    until_true 20 test -s "$site/npjobd.pid" && until_true 20 npjobd_settled && running "$site/npjobd.pid"
}

# Ends npjobd as systemd does, and says if it took that badly.
npjobd_stop()
{
    end "$site/npjobd.pid" TERM && until_true 5 test -s "$site/npjobd.exit" || return 1
    [ "$(cat "$site/npjobd.exit")" -eq 0 ] && return
    echo "npjobd has ended with exit status $(cat "$site/npjobd.exit")"
    tail -n 40 "$site/npjobd.log"
    return 1
}

npjobd_settled()
{
    ! running "$site/npjobd.pid" || npjobd_status >/dev/null 2>&1
}

npjobd_status()
{
    "$npjobd" status --config "$site/npjobd.conf" --json
}
