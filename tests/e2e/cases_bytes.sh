# SPDX-License-Identifier: MIT
# Sourced by e2e_test.sh: what clients send arrives, byte for byte.

bytes_cases()
{
    local protocol size
    for protocol in NT1 SMB2_02 SMB3_11 encrypted; do
        trial "smbclient, $protocol: no byte at all" smbclient_sends_nothing "$protocol"
        for size in 1 65535 65536 65537 60000000; do
            trial "smbclient, $protocol: $size bytes" smbclient_sends "$protocol" "$size"
        done
    done
    trial 'NT1, writes of 1 to 65,535 bytes' writes_of NT1 65537 1000 65535
    trial 'SMB2_02, writes of 1 to 65,536 bytes' writes_of SMB2_02 65537 1000 65536
    trial 'SMB3_00, writes of 1 to 1,048,576 bytes' writes_of SMB3_00 8000000 65537 1048576
    trial 'an empty write changes nothing' empty_write
    trial 'a FIFO as the pipe' through_fifo
    trial 'a job to a printer that wants it whole' whole_ps
    trial '20 clients at once' at_once
}

smbclient_sends()
{
    smb "$1" "$site/$2" ok && printed ok "$site/$2"
}

# That is no job: somebody has looked whether the printer is there.
smbclient_sends_nothing()
{
    smb "$1" "$site/0" ok && abandoned ok ' bytes=0 '
}

# writes_of PROTOCOL SIZE WRITE...: one client prints a file of that size once with writes of each of these sizes, and a
# short one byte by byte.
writes_of()
{
    local protocol=$1 file=$site/$2 write steps=() lines=() files=()
    shift 2
    for write; do
        steps+=(open send "$file" "$write" close)
        files+=("$file")
        lines+=('open SUCCESS' "send SUCCESS $(stat -c %s "$file")" 'close SUCCESS')
    done
    head -c 300 "$file" >"$site/short"
    client "$protocol" ok "${steps[@]}" open send "$site/short" 1 close >"$site/seen"
    saw "${lines[@]}" 'open SUCCESS' 'send SUCCESS 300' 'close SUCCESS' &&
        logged ' printer=ok .*outcome=scheduled' $(($# + 1)) || return 1
    just_printed "${files[@]}" "$site/short"
}

empty_write()
{
    client SMB2_02 ok open write 0 send "$site/65537" 30000 write 0 close >"$site/seen"
    saw 'open SUCCESS' 'write SUCCESS 0' 'send SUCCESS 65537' 'write SUCCESS 0' 'close SUCCESS' && printed ok "$site/65537"
}

through_fifo()
{
    smb SMB3_11 "$site/8000000" fifo && printed fifo "$site/8000000"
}

whole_ps()
{
    smb SMB3_11 "$site/whole.ps" ps && printed ps "$site/whole.ps"
}

# Each has something of its own to say. All must be over, each printed once.
at_once()
{
    local i pids=()
    for i in {1..20}; do
        { echo "client $i"; tail -c $((1000000 + i * 1000)) "$site/60000000"; } >"$site/at/$i"
        smb SMB3_11 "$site/at/$i" ok >"$site/at/$i.out" &
        pids+=($!)
    done
    wait "${pids[@]}"
    cat "$site"/at/*.out
    logged ' printer=ok .*outcome=scheduled' 20 || return 1
    just_printed "$site"/at/{1..20} && rm "$jobs"/printed/*
}
