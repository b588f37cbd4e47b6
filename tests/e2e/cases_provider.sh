# SPDX-License-Identifier: MIT
# Sourced by e2e_test.sh: print providers that fail, in AddJob and later, and that read slowly or not at all.
#
# smbd has said that a write is good when it has put the bytes into its socket. So a client learns of a failure from the
# first write after npjobd has closed the connection: that is what "await" stands for below.

provider_cases()
{
    trial 'AddJob exits with 1: refused as unsuccessful' refused refuse UNSUCCESSFUL
    trial 'AddJob exits with 75: refused, no pipe is available' refused later PIPE_NOT_AVAILABLE
    trial 'AddJob exits with 77: refused, access denied' refused forbid ACCESS_DENIED
    trial 'AddJob hangs: refused when its time is over' refused hang IO_TIMEOUT
    trial 'AddJob prints rubbish: refused' refused rubbish ''
    trial 'a refusal is seen by an NT1 client' refused refuse UNSUCCESSFUL NT1 CONNECTION_DISCONNECTED
    trial 'a refusal is seen by an SMB2_02 client' refused refuse UNSUCCESSFUL SMB2_02 PIPE_DISCONNECTED
    trial 'smbclient reports a refusal' refused_large
    trial 'the pipe is of a kind that jobs do not go into' wrong_pipe
    trial 'the pipe is never there' missing_pipe
    trial 'ScheduleJob fails: abandoned, though the client has seen nothing of it' unwanted
    trial 'the reader of the pipe is killed in mid-job' reader_killed
    trial 'the reader of the pipe ends early' reader_ends_early
    trial 'a resident provider is killed in mid-job, and comes back' resident_restarts
    trial 'a reader that never reads: the job fails when its time is over' never_read
    trial 'a slow reader slows the client down, at no cost of memory' slow_reader
    trial 'npjob-store keeps whole jobs, and none else' example_store
    trial 'npjob-filter feeds whole jobs to a command, and none else' example_filter
    trial 'a reader that waits stops the client within a bound' stalled_reader
}

# refused PRINTER STATUS [PROTOCOL SEEN]: the pipe opens; what is written after AddJob has failed is refused, as SEEN.
refused()
{
    local printer=$1 status=$2 protocol=${3-SMB3_00} seen=${4-PIPE_DISCONNECTED} told=yes
    touch "$jobs/hold"
    client "$protocol" "$printer" open write 10 reach "$site/at/written" await "$site/at/over" write 1 close >"$site/seen" &
    until_true 20 test -e "$site/at/written"
    rm "$jobs/hold"
    logged "job=[0-9]* printer=$printer .*status=STATUS_$status.* outcome=refused" || told=no
    until_true 20 nothing_lives
    touch "$site/at/over"
    wait $!
    [ $told = yes ] && saw 'open SUCCESS' 'write SUCCESS 10' 'reach SUCCESS' 'await SUCCESS' "write $seen 0" 'close SUCCESS'
}

# What smbd says when npjobd has closed while a write was under way: whether it meets that in writing or in reading first is
# chance.
lost='PIPE_\(BROKEN\|DISCONNECTED\)'

# disconnected PRINTER: a job larger than all buffers on its way, which smbclient cannot have written before it hears that
# there is no pipe any more.
disconnected()
{
    local said
    said=$(smb SMB3_11 "$site/60000000" "$1") && return 1
    echo "$said"
    grep -q "NT_STATUS_$lost" <<<"$said"
}

refused_large()
{
    disconnected refuse && logged ' printer=refuse .*outcome=refused'
}

# A socket of messages: there is no place for the bytes of a job.
wrong_pipe()
{
    disconnected wrong && abandoned wrong 'status=STATUS_INVALID_DEVICE_REQUEST '
}

missing_pipe()
{
    disconnected missing && abandoned missing 'status=STATUS_IO_TIMEOUT '
}

unwanted()
{
    smb SMB3_11 "$site/65537" unwanted && abandoned unwanted 'status=STATUS_UNSUCCESSFUL ' 'the printer is out of paper'
}

reader_killed()
{
    local id
    client SMB3_00 ok open write 1000 reach "$site/at/begun" await "$site/at/killed" write 1000 await "$site/at/over" \
        write 1000 close >"$site/seen" &
    until_true 20 test -e "$site/at/begun" && until_true 20 bytes_begun || return 1
    id=$(basename "$(dirname "$jobs"/[0-9]*/bytes)")
    kill -KILL "$(cat "$jobs/$id/pid")"
    until_true 5 ended "$jobs/$id/pid"
    touch "$site/at/killed"
    abandoned ok "job_id=$id " 'status=STATUS_PIPE_BROKEN ' || return 1
    until_true 20 nothing_lives
    touch "$site/at/over"
    wait $!
    saw 'open SUCCESS' 'write SUCCESS 1000' 'reach SUCCESS' 'await SUCCESS' 'write SUCCESS 1000' 'await SUCCESS' \
        'write PIPE_DISCONNECTED 0' 'close SUCCESS'
}

reader_ends_early()
{
    disconnected die && abandoned die 'status=STATUS_PIPE_BROKEN '
}

# Three jobs are on their way when the provider is killed; then nothing is printed; then it is back, and all is well.
resident_restarts()
{
    local i pids=()
    resident_start || return 1
    for i in 1 2 3; do
        client SMB3_00 resident open write 1000 reach "$site/at/begun$i" await "$site/at/killed" write 1000 \
            await "$site/at/over" write 1000 close >"$site/seen$i" &
        pids+=($!)
    done
    for i in 1 2 3; do
        until_true 20 test -e "$site/at/begun$i" || return 1
    done
    until_true 20 three_begun || return 1
    resident_stop
    touch "$site/at/killed"
    logged ' printer=resident .*status=STATUS_PIPE_BROKEN .*outcome=abandoned' 3 || return 1
    until_true 20 nothing_lives
    touch "$site/at/over"
    wait "${pids[@]}"
    for i in 1 2 3; do
        grep -c '^write PIPE_DISCONNECTED 0$' "$site/seen$i" || return 1
    done
    smb SMB3_11 "$site/65537" resident
    logged ' printer=resident .*status=STATUS_PIPE_NOT_AVAILABLE .*outcome=refused' 1 || return 1
    rm -f "$jobs/printed"/*
    resident_start || return 1
    smb SMB3_11 "$site/65537" resident && logged ' printer=resident .*outcome=scheduled' 1 || return 1
    until_true 20 test -e "$jobs/printed"/r*-1
    resident_stop
    cmp "$site/65537" "$jobs/printed"/r*-1 && rm "$jobs/printed"/*
}

three_begun()
{
    [ "$(find "$jobs/printed" -name 'r*.part' -size +0 | wc -l)" -eq 3 ]
}

# The client has given up to wait (after a second) before the job is given up (after three).
never_read()
{
    client SMB3_00 never open flood 60000000 await "$site/at/over" write 1 close >"$site/seen" &
    abandoned never 'status=STATUS_IO_TIMEOUT ' || return 1
    until_true 20 nothing_lives
    touch "$site/at/over"
    wait $!
    cat "$site/seen"
    grep -q "^write $lost 0\$" "$site/seen"
}

nothing_begun()
{
    [ -z "$(ls -A "$site/$1/.npjob")" ]
}

# Three at once, and half a job.
example_store()
{
    local i pids=()
    for i in 1 2 3; do
        smb SMB3_11 "$site/1000000" store &
        pids+=($!)
    done
    wait "${pids[@]}"
    client SMB3_00 store open send "$site/half.ps" 10 drop
    logged ' printer=store .*outcome=scheduled' 3 && logged ' printer=store .*outcome=abandoned' 1 &&
        until_true 20 nothing_begun store || return 1
    [ "$(ls "$site/store" | wc -l)" -eq 3 ] || { ls -l "$site/store"; return 1; }
    for i in "$site"/store/*.ps; do
        cmp "$site/1000000" "$i" || return 1
    done
}

example_filter()
{
    client SMB3_00 filter open send "$site/half.ps" 10 drop
    logged ' printer=filter .*outcome=abandoned' 1 && until_true 20 nothing_begun filter && [ ! -e "$site/filtered" ] || return 1
    smb SMB3_11 "$site/8000000" filter && logged ' printer=filter .*outcome=scheduled' 1 &&
        until_true 20 nothing_begun filter && cmp "$site/8000000" "$site/filtered"
}

# The most that npjobd may be larger by while a job of 60 MB passes through to a slow reader: the job's own limit of 1 MiB,
# and what a process takes for its work.
slow_reader()
{
    local peak
    echo 5 >"/proc/$(cat "$site/npjobd.pid")/clear_refs"
    smb SMB3_11 "$site/8000000" slow && printed slow "$site/8000000" || return 1
    peak=$(proc VmHWM)
    echo "peak $peak KiB, $balance_rss KiB at rest"
    [ -n "$sanitized" ] || [ "$peak" -le $((balance_rss + 1024 + 2048)) ]
}

# What the client has got rid of while nobody reads: the job's limit of 1 MiB, and two sockets' buffers of 208 KiB each. The
# one write that smbd is at was not answered: it is printed, or is not.
stalled_reader()
{
    local taken status file size
    client SMB3_00 stall open flood 60000000 close >"$site/seen"
    read -r _ status taken < <(grep '^flood' "$site/seen")
    cat "$site/seen"
    [ "$status" = NO_ANSWER ] && [ "$taken" -le $((1048576 + 2 * 262144)) ] || return 1
    grep -q '^close SUCCESS' "$site/seen" || return 1
    head -c $((taken + 32768)) /dev/zero | tr '\0' x >"$site/flood"
    file=$(last_printed stall) || return 1
    size=$(stat -c %s "$file")
    echo "$taken bytes were answered for, $size are printed"
    [ "$size" -ge "$taken" ] && cmp -n "$size" "$site/flood" "$file" && rm "$file"
}
