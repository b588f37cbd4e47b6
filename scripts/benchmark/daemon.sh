#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# npjobd behind a real smbd: prints a file by smbclient, by turns through npjobd to a reader that counts what it reads and to
# one that keeps it in a file, and through a copier into a file and to nowhere.
# usage: daemon.sh PROGRAMS MEGABYTES
# PROGRAMS is the build folder. Prints a line `npjobd SIDE s VALUE` for each: the seconds that smbclient took.
set -euo pipefail
export LC_ALL=C # for $EPOCHREALTIME, and for numbers

root=$(cd "$(dirname "$0")/../.." && pwd)
programs=$(realpath "$1")
megabytes=$2
npjobd=$programs/npjobd/npjobd
reader=$programs/bench/reader
here=$root/tests/e2e
PATH=$PATH:/usr/sbin
# Where no disk is in the way, if there is such a place, and what a run leaves there finds room.
if [ -w /dev/shm ] && [ "$(df --output=avail -B1M /dev/shm | tail -n 1)" -gt $((megabytes + 64)) ]; then
    export TMPDIR=/dev/shm
fi
. "$here/site.sh"

fail()
{
    printf 'daemon: %s\n' "$1" >&2
    tail -n 20 "$site"/*.log >&2 || true
    exit 1
}

trap site_close EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
site_open
echo 'a job, which does not begin with blanks' >"$site/file"
truncate -s "${megabytes}M" "$site/file"

cat >"$site/npjobd.conf" <<END
[global]
    ncalrpc dir = $site/run/ncalrpc
    smbd user = $(id -un)
    control socket = $site/control
END

# printer NAME MODE: what its reader does with the bytes, as tests/reader.c has it.
printer()
{
    cat >>"$site/npjobd.conf" <<END
[$1]
    addjob command = "$here/provider" "$reader" "$jobs" add stream $2
    schedule command = "$here/provider" "$reader" "$jobs" schedule %j
    abandon command = "$here/provider" "$reader" "$jobs" abandon %j %r
    complete = any
END
}
printer npjobd count
printer npjobd-file normal

# put PRINTER: prints the file, and says how long that took.
put()
{
    local began=$EPOCHREALTIME
    smbclient -s "$site/smb.conf" -p "$port" -m SMB3_11 -N '//127.0.0.1/IPC$' -t 300 -c "put \"$site/file\" $1" \
        >"$site/smbclient.out" 2>&1 || fail "smbclient: $(cat "$site/smbclient.out")"
    printf 'npjobd %s s %s\n' "$1" "$(awk -v from="$began" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.4f", to - from }')"
}

# counted FILE: what has been read was counted there, and is as many bytes as were sent.
counted()
{
    [ "$(cat "$1" 2>/dev/null)" = "$((megabytes << 20))" ]
}

job_counted()
{
    counted "$(echo "$jobs"/printed/*)"
}

job_printed()
{
    [ "$(stat -c %s "$jobs"/printed/* 2>/dev/null)" = "$((megabytes << 20))" ]
}

smbd_start && npjobd_start || fail 'smbd or npjobd does not start'
# copier NAME FILE: what stands in npjobd's place under that name.
copier()
{
    "$programs/bench/copier" "$site/run/ncalrpc/np/$1" "$2" </dev/null >>"$site/$1.count" &
    echo $! >"$site/$1.pid"
    until_true 5 test -S "$site/run/ncalrpc/np/$1" || fail 'the copier does not start'
}
copier copier "$site/copied"
copier copier-nowhere /dev/null

print_all()
{
    put npjobd
    until_true 60 job_counted || fail 'the job was not read in full'
    rm -f "$jobs"/printed/*
    put copier-nowhere
    until_true 60 counted "$site/copier-nowhere.count" || fail 'the copier has not read all'
    put npjobd-file
    until_true 60 job_printed || fail 'the job was not printed'
    rm -f "$jobs"/printed/*
    put copier
    until_true 60 counted "$site/copier.count" || fail 'the file was not copied'
    rm -f "$site/copied"
    truncate -s 0 "$site"/*.count
}
print_all >/dev/null # what comes first finds an smbd that has just started
print_all
