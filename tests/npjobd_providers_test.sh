#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The example providers behind npjobd, as its manual page configures them.
# usage: npjobd_providers_test.sh NPJOBD NPA_CLIENT FOLDER_OF_THE_PROVIDERS
providers=$(realpath "$3")
. "$(dirname "$(realpath "$0")")/npjobd_support.sh"

# serve PROVIDER ARGUMENT...: the daemon, with laser printing to that provider.
serve()
{
    local provider="$providers/npjob-$1"
    rm -rf spool
    mkdir spool
    cat >conf <<END
[global]
ncalrpc dir = $folder/n
control socket = $folder/control
[laser]
addjob command = "$provider" addjob --folder "$folder/spool" ${*:2}
schedule command = "$provider" schedule --folder "$folder/spool" --id %j
abandon command = "$provider" abandon --folder "$folder/spool" --id %j
complete = ps
END
    start
}

# spooled FILE...: these, and no job in the making.
spooled()
{
    diff <(printf '%s\n' "$@" | grep .) <(ls spool) >difference && [ -z "$(ls -A spool/.npjob)" ]
}

{
    echo '%!PS'
    seq 1 200000
    echo '%%EOF'
} >whole
head -c 500000 whole >part

store_whole()
{
    serve store --job %J --suffix .ps && client 0 <whole && has 'outcome=scheduled' && until_so spooled laser-1.ps &&
        cmp whole spool/laser-1.ps && stop
}

store_cut_short()
{
    serve store --job %J && client 0 <part && has 'outcome=abandoned .*whole="ps: the last line is not %%EOF"' &&
        until_so spooled '' && stop
}

store_many_at_once()
{
    local client clients=()
    serve store --job job || return
    for client in {1..8}; do
        timeout 60 "$NPA_CLIENT" n/np/laser <whole >"said.$client" &
        clients+=($!)
    done
    for client in "${clients[@]}"; do
        wait "$client" || return
    done
    has 'outcome=scheduled' 8 && until_so spooled job job-{2..8} && sha1sum spool/* | cut -d ' ' -f 1 | sort -u >sums &&
        [ "$(cat sums)" = "$(sha1sum <whole | cut -d ' ' -f 1)" ] && stop
}

filter_whole()
{
    serve filter -- sh -c "'cat >\"\$0\" && echo end >>\"\$0\"'" "\"$folder/spool/%J\"" && client 0 <whole &&
        has 'outcome=scheduled' && until_so spooled laser-1 && cmp <(cat whole && echo end) spool/laser-1 && stop
}

filter_cut_short()
{
    serve filter -- sh -c "'cat >/dev/null && echo end >\"\$0\"'" "\"$folder/spool/%J\"" && client 0 <part &&
        has 'outcome=abandoned' && until_so spooled '' && stop
}

filter_fails()
{
    serve filter -- sh -c "'cat >/dev/null; echo out of paper >&2; exit 9'" && client 0 <whole &&
        has 'outcome=abandoned .*out of paper' && until_so spooled '' && stop
}

# A case that has failed leaves no daemon to the next one.
alone()
{
    "$1" && return
    [ -z "$npjobd_pid" ] || kill -KILL "$npjobd_pid"
    npjobd_pid=
    return 1
}

for name in store_whole store_cut_short store_many_at_once filter_whole filter_cut_short filter_fails; do
    check "npjob-${name/_/: }" alone "$name"
done

# Keepers, copiers and filters have all ended. (The brackets keep grep from finding itself.)
nobody_left()
{
    ! grep -qs "$folder/[s]pool" /proc/[0-9]*/cmdline
}
check 'the providers leave nobody behind' until_so nobody_left
finish
