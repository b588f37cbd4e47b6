#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# End to end: print clients, a real smbd, npjobd and a print provider.
# usage: e2e_test.sh NPJOBD READER [GROUP|CASE...]
# A group is bytes, provider, client or daemon, a case the name of its function; all of them if none is named.
# E2E_SANITIZED is set if npjobd is so built that its memory tells nothing.
# After each case npjobd must be back where it was: no job, no packet, no file open, no process, no memory (see balance.sh).
set -uo pipefail

npjobd=$(realpath "$1")
reader=$(realpath "$2")
shift 2
here=$(dirname "$(realpath "$0")")
sanitized=${E2E_SANITIZED-}
PATH=$PATH:/usr/sbin
. "$here/../tap.sh"

for program in smbd smbclient pdbedit; do
    command -v "$program" >/dev/null || missing=$program
done
/usr/bin/python3 -c 'import impacket' 2>/dev/null || missing=impacket
if [ -n "${missing-}" ]; then
    echo "1..0 # SKIP no $missing here; see scripts/bootstrap --list"
    exit 0
fi

. "$here/site.sh"
. "$here/balance.sh"
. "$here/support.sh"
. "$here/cases_bytes.sh"
. "$here/cases_provider.sh"
. "$here/cases_client.sh"
. "$here/cases_daemon.sh"

trap site_close EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

site_open
make_data
npjobd_configure
if ! smbd_start || ! npjobd_start; then
    echo "Bail out! smbd or npjobd does not start"
    tail -n 20 "$site"/*.log >&2
    exit 1
fi

wants()
{
    [[ " ${wanted[*]} " == *" $1 "* ]]
}

# trial NAME FUNCTION [ARGUMENT...]: a case, and the balance after it. What was said in the meantime is shown if it fails.
trial()
{
    local name=$1
    shift
    [ ${#wanted[@]} -eq 0 ] || wants "$group" || wants "$1" || return 0
    ran=yes
    check "$name" one_case "$@"
}

one_case()
{
    log_mark
    rm -rf "$site/at" "$jobs"/printed/*
    mkdir "$site/at"
    if "$@" && balance; then
        return
    fi
    tail -n +"$log_line" "$site/npjobd.log"
    return 1
}

wanted=("$@")
ran=
check 'a first job goes through, and npjobd notes what it holds' warm_up
for group in bytes provider client daemon; do
    "${group}_cases"
done
[ -n "$ran" ] || { echo "e2e_test: there is no case ${wanted[*]}" >&2; exit 2; }
check 'npjobd ends with exit status 0' npjobd_stop
finish
