# SPDX-License-Identifier: MIT
# Sourced by e2e_test.sh: npjobd itself, told to stop, killed, spoken to by strangers, and short of files.

daemon_cases()
{
    local what
    for what in nothing closes garbage huge short magic level half torn; do
        trial "no handshake: $what" stranger "$what"
    done
    trial 'npjobd is told to stop in mid-job: the job is abandoned' stopped
    trial 'npjobd is killed in mid-job, and comes back' killed
    trial 'more clients than "max jobs": the open is refused' too_many
    trial 'more clients than files: all end, none is lost' short_of_files
    if [ -n "$(samba_helpers)" ]; then
        trial 'no printer is called like a pipe of this Samba' pipes_of_samba
    fi
}

# The programs that are behind Samba's own pipes, from 4.16 on. smbd does not say where they are.
samba_helpers()
{
    ls /usr/libexec/samba/rpcd_* /usr/lib/*/samba/rpcd_* /usr/lib*/samba/rpcd_* /usr/local/samba/libexec/rpcd_* 2>/dev/null
}

pipes_of_samba()
{
    local helper pipe pipes
    pipes=$(for helper in $(samba_helpers); do
        "$helper" --configfile="$site/smb.conf" --list-interfaces
    done | sed -n 's/.*ncacn_np:\[\\pipe\\\(.*\)\]$/\L\1/p' | sort -u)
    grep -qx lsarpc <<<"$pipes" || { echo "these are no pipes: $pipes"; return 1; }
    for pipe in $pipes; do
        printf '[%s]\naddjob command = a\nschedule command = s\nabandon command = a\n' "$pipe" >"$site/at/conf"
        "$npjobd" --testparm --config "$site/at/conf" 2>"$site/at/said"
        grep "$pipe is a pipe of Samba's own" "$site/at/said" || { echo "npjobd takes $pipe for a printer"; return 1; }
    done
}

# Nothing comes back, the connection is closed, and one line of the log says why.
stranger()
{
    local said
    said=$("$here/raw.py" "$site/run/ncalrpc/np/ok" "$1")
    echo "$said"
    [ "$said" = end ] || return 1
    logged ' printer=ok peer_uid=[0-9]* outcome=refused ' 1 || return 1
    smb SMB3_11 "$site/1" ok && printed ok "$site/1"
}

begin_ps()
{
    client SMB3_00 ps open send "$site/half.ps" 20 reach "$site/at/begun" await "$site/at/over" write 1 close \
        >"$site/seen" &
    client=$!
    until_true 20 test -e "$site/at/begun" && until_true 20 bytes_begun
}

# npjobd has gone, and the client writes on.
finish_ps()
{
    touch "$site/at/over"
    wait "$client"
    saw 'open SUCCESS' 'send SUCCESS 20' 'reach SUCCESS' 'await SUCCESS' 'write PIPE_DISCONNECTED 0' 'close SUCCESS'
}

# The job's client goes on as if nothing had happened: so the drain time passes first.
stopped()
{
    begin_ps && npjobd_stop || return 1
    abandoned ps 'status=STATUS_SERVER_SHUTDOWN_IN_PROGRESS ' || return 1
    finish_ps || return 1
    client SMB3_00 ok open >"$site/seen"
    saw_no_socket OBJECT_NAME_NOT_FOUND && npjobd_start && warm_up
}

# Nobody is left to tell the provider.
killed()
{
    begin_ps && end "$site/npjobd.pid" KILL || return 1
    finish_ps || return 1
    client SMB3_00 ok open >"$site/seen"
    saw_no_socket CONNECTION_REFUSED && rm -rf "${jobs:?}"/[0-9]* && npjobd_start && warm_up
}

# Which of the two statuses it is depends on whether smbd has begun to speak when the connection is closed.
too_many()
{
    local first
    npjobd_configure '' 'max jobs = 1' && npjobd_stop && npjobd_start && warm_up || return 1
    client SMB3_00 ok open write 10 reach "$site/at/begun" await "$site/at/over" close >"$site/seen1" &
    first=$!
    until_true 20 test -e "$site/at/begun" || return 1
    client SMB3_00 ok open >"$site/seen"
    touch "$site/at/over"
    wait "$first"
    npjobd_configure
    cat "$site/seen" "$site/seen1"
    grep -Eq '^open CONNECTION_(RESET|DISCONNECTED) $' "$site/seen" && grep -q '^close SUCCESS' "$site/seen1" &&
        npjobd_stop && npjobd_start && warm_up
}

# Each client's job is either printed as it was sent, or its client has heard of the failure.
short_of_files()
{
    local i pids=() good=()
    npjobd_stop && npjobd_start 40 && warm_up || return 1
    log_mark
    for i in {1..12}; do
        { echo "client $i"; tail -c 2000000 "$site/60000000"; } >"$site/at/$i"
        smb SMB3_11 "$site/at/$i" ok >"$site/at/$i.out" &
        pids+=($!)
    done
    for i in {1..12}; do
        if wait "${pids[i - 1]}"; then
            good+=("$site/at/$i")
        else
            cat "$site/at/$i.out"
        fi
    done
    logged ' job=' 12 || return 1
    echo "${#good[@]} of 12 are good"
    log_has 'job=[0-9]* .*outcome=scheduled' "${#good[@]}" && [ "${#good[@]}" -gt 0 ] && just_printed "${good[@]}" ||
        return 1
    rm -f "$jobs"/printed/*
    balance && npjobd_stop && npjobd_start && warm_up
}
