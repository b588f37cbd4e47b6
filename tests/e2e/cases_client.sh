# SPDX-License-Identifier: MIT
# Sourced by e2e_test.sh: clients that vanish, and a file server that does.

client_cases()
{
    trial 'a client drops in mid-job, complete = ps: abandoned' dropped_ps SMB3_00
    trial 'an NT1 client drops in mid-job, complete = ps: abandoned' dropped_ps NT1
    trial 'a client closes half a job, complete = ps: abandoned' closed_ps
    trial 'a client drops in mid-job, complete = eof: scheduled' dropped_eof
    trial 'a client drops while AddJob hangs' dropped_in_add_job
    trial 'a client drops while nobody reads' dropped_while_stalled
    trial 'smbd is killed in mid-job, complete = ps: abandoned' smbd_killed
    trial 'a printer that is not there' no_printer
}

# half_a_job PROTOCOL PRINTER LAST: half of a PostScript job, and then LAST: close or drop.
half_a_job()
{
    client "$1" "$2" open send "$site/half.ps" 10 "$3" >"$site/seen"
    saw 'open SUCCESS' 'send SUCCESS 20' "$3 SUCCESS"
}

dropped_ps()
{
    half_a_job "$1" ps drop && abandoned ps ' bytes=20 ' 'status=STATUS_NETWORK_NAME_DELETED ' 'whole="ps: '
}

closed_ps()
{
    half_a_job SMB3_00 ps close && abandoned ps ' bytes=20 ' 'status=STATUS_NETWORK_NAME_DELETED ' 'whole="ps: '
}

# smbd does not say whether a client has closed or has vanished: so a partial job is printed where end of file is enough.
dropped_eof()
{
    half_a_job SMB3_00 ok drop && printed ok "$site/half.ps"
}

dropped_in_add_job()
{
    client SMB3_00 hang open write 10 drop >"$site/seen"
    saw 'open SUCCESS' 'write SUCCESS 10' 'drop SUCCESS' && logged ' printer=hang .*outcome=refused' 1
}

# All that smbd has taken is in the socket's buffers when the end comes.
dropped_while_stalled()
{
    client SMB3_00 stall open flood 60000000 drop >"$site/seen"
    logged ' printer=stall .*outcome=scheduled' 1
}

smbd_killed()
{
    client SMB3_00 ps open send "$site/half.ps" 10 reach "$site/at/begun" await "$site/at/killed" write 1 >"$site/seen" &
    until_true 20 test -e "$site/at/begun" || return 1
    smbd_kill
    touch "$site/at/killed"
    wait $!
    smbd_restart && abandoned ps ' bytes=20 ' 'status=STATUS_NETWORK_NAME_DELETED ' || return 1
    saw 'open SUCCESS' 'send SUCCESS 20' 'reach SUCCESS' 'await SUCCESS' 'write NO_CONNECTION 0' &&
        smb SMB3_11 "$site/65537" ok && printed ok "$site/65537"
}

no_printer()
{
    client SMB3_00 nosuch open >"$site/seen"
    saw_no_socket OBJECT_NAME_NOT_FOUND
}
