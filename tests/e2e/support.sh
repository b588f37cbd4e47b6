# SPDX-License-Identifier: MIT
# Sourced by the end-to-end tests: the printers, the clients, and what has become of a job.

# The files to print. What is large cannot be compressed or repeat itself, so that no piece can stand for another.
make_data()
{
    local size
    : >"$site/0"
    printf x >"$site/1"
    head -c 60000000 /dev/urandom >"$site/60000000"
    for size in 65535 65536 65537 1000000 8000000; do
        head -c "$size" "$site/60000000" >"$site/$size"
    done
    printf '%%!PS-Adobe-3.0\n%%%%Pages: 1\nshowpage\n%%%%EOF\n' >"$site/whole.ps"
    head -c 20 "$site/whole.ps" >"$site/half.ps"
}

# printer NAME ADD...: a printer of the test's provider; the settings that follow it come from standard input.
printer()
{
    local name=$1 folder=$jobs schedule=schedule
    shift
    [ "$name" != frail ] || folder=$site/frail
    [ "$name" != unwanted ] || schedule=refuse
    printf '[%s]\n' "$name"
    printf '    addjob command = "%s" "%s" "%s" add %s\n' "$here/provider" "$reader" "$folder" "$*"
    printf '    schedule command = "%s" "%s" "%s" %s %%j\n' "$here/provider" "$reader" "$folder" "$schedule"
    printf '    abandon command = "%s" "%s" "%s" abandon %%j %%r\n' "$here/provider" "$reader" "$folder"
    cat
}

# example NAME PROVIDER OPTIONS...: a printer of one of the example providers; the options are those of addjob.
example()
{
    local name=$1 provider=$here/../../npjobd/providers/$2
    shift 2
    mkdir -p "$site/$name"
    printf '[%s]\n' "$name"
    printf '    addjob command = "%s" addjob --folder "%s" %s\n' "$provider" "$site/$name" "$*"
    printf '    schedule command = "%s" schedule --folder "%s" --id %%j\n' "$provider" "$site/$name"
    printf '    abandon command = "%s" abandon --folder "%s" --id %%j\n' "$provider" "$site/$name"
    printf '    complete = any\n'
}

# npjobd_configure [PRINTER [SETTING]]: all printers, and one more if asked for; another setting for all of npjobd. The
# file is replaced in one step.
npjobd_configure()
{
    {
        cat <<END
[global]
    ncalrpc dir = $site/run/ncalrpc
    smbd user = $(id -un)
    control socket = $site/control
    handshake timeout = 2
    stop timeout = 2
    ${2-}
END
        printer ok stream normal </dev/null
        printer fifo fifo normal </dev/null
        printer wrong seqpacket normal </dev/null
        printer missing missing <<<'    connect timeout = 1'
        printer unwanted stream normal </dev/null
        printer ps stream normal <<<'    complete = ps'
        printer slow stream slow 20 <<<'    max job memory = 1M'
        printer stall stream stall 4000 <<<'    max job memory = 1M'
        printer never stream stall 30000 <<<'    stall timeout = 3'
        printer die stream die 200000 </dev/null
        printer refuse refuse 1 </dev/null
        printer later refuse 75 </dev/null
        printer forbid refuse 77 </dev/null
        printer hang hang <<<'    command timeout = 3'
        printer rubbish rubbish </dev/null
        printer resident resident </dev/null
        printer frail stream normal </dev/null
        example store npjob-store --job %J --suffix .ps
        example filter npjob-filter -- sh -c "'cat >\"\$0.\$\$\" && mv \"\$0.\$\$\" \"\$0\"'" "\"$site/filtered\""
        [ -z "${1-}" ] || printer "$1" stream normal </dev/null
    } >"$site/npjobd.conf.new"
    mv "$site/npjobd.conf.new" "$site/npjobd.conf"
}

# The resident provider (see resident.py).
resident_start()
{
    "$here/resident.py" "$jobs" </dev/null >"$site/resident.out" 2>&1 &
    disown
    until_true 20 test -s "$jobs/resident.pid"
}

resident_stop()
{
    end "$jobs/resident.pid" KILL
    rm -f "$jobs"/printed/*.part
}

# smb PROTOCOL FILE PRINTER: smbclient prints, as a guest; protocol "encrypted" is SMB3_11 with a user and encryption. It gives
# smbd 20 s to say a first word, whatever its -t: on a machine that is busy enough it is asked again, for then nothing has been
# sent.
smb()
{
    local protocol=$1 who=(-N) said status tries=3
    if [ "$protocol" = encrypted ]; then
        protocol=SMB3_11
        who=(-U "$(id -un)%secret" --client-protection=encrypt)
    fi
    while ((tries-- > 0)); do
        status=0
        said=$(smbclient -s "$site/smb.conf" -p "$port" -m "$protocol" "${who[@]}" '//127.0.0.1/IPC$' -t 60 \
            -c "put \"$2\" $3" 2>&1) || status=$?
        grep -q '^protocol negotiation failed: NT_STATUS_IO_TIMEOUT' <<<"$said" || break
    done
    printf '%s\n' "$said"
    return "$status"
}

# client PROTOCOL PRINTER STEP...: see client.py.
client()
{
    "$here/client.py" "$port" "$@"
}

# saw LINE...: the client has seen exactly this, step by step.
saw()
{
    diff "$site/seen" <(printf '%s\n' "$@" | sed 's/^\([a-z]* [A-Z_]*\)$/\1 /')
}

# saw_no_socket STATUS: smbd could not connect, and its client has seen nothing else. One that is not root's forgets why: to
# take root's rights and to leave them, which fails, comes between its connect and its look at the error.
saw_no_socket()
{
    [ "$(id -u)" -eq 0 ] || set -- ACCESS_DENIED
    saw "open $1"
}

# ------------------------------------------------------------------------------------------------ the log of npjobd

log_mark()
{
    log_line=$(($(wc -l <"$site/npjobd.log") + 1))
}

# log_has REGEX [TIMES]: since the mark, a line matches; or exactly so many do.
log_has()
{
    local count
    count=$(tail -n +"$log_line" "$site/npjobd.log" | grep -Ec -- "$1")
    if [ -n "${2-}" ]; then
        [ "$count" -eq "$2" ]
    else
        [ "$count" -gt 0 ]
    fi
}

# logged REGEX [TIMES]: so it will be before long.
logged()
{
    until_true 20 log_has "$@" && return
    echo "the log does not say, ${2:-1} times: $1"
    return 1
}

# ------------------------------------------------------------------------------------------------ what was printed

# just_printed FILE...: what lies there has the bytes of these files, in whatever order their jobs got their JobIds: one
# AddJob may overtake another, for a client is through with close before its job is.
just_printed()
{
    diff <(sha256sum "$@" | cut -c 1-64 | sort) <(sha256sum "$jobs"/printed/* | cut -c 1-64 | sort)
}

# last_printed PRINTER: where the bytes are of the last job since the mark that was scheduled at PRINTER.
last_printed()
{
    local id
    logged "job=[0-9]* printer=$1 .*outcome=scheduled" >&2 || return 1
    id=$(tail -n +"$log_line" "$site/npjobd.log" | sed -n "s/.* printer=$1 .*job_id=\([0-9]*\) .*/\1/p" | tail -n 1)
    echo "$jobs/printed/$id"
}

# printed PRINTER FILE: that job has the bytes of FILE.
printed()
{
    local file
    file=$(last_printed "$1") && cmp "$2" "$file" && rm "$file"
}

# abandoned PRINTER REGEX...: the last job at PRINTER was abandoned, with this in the log's line and nothing printed.
abandoned()
{
    local line id pattern
    logged "job=[0-9]* printer=$1 .*outcome=abandoned" || return 1
    line=$(tail -n +"$log_line" "$site/npjobd.log" | grep " printer=$1 .*outcome=abandoned" | tail -n 1)
    shift
    id=$(sed -n 's/.*job_id=\([0-9]*\) .*/\1/p' <<<"$line")
    for pattern; do
        grep -Eq -- "$pattern" <<<"$line" || { echo "no $pattern in: $line"; return 1; }
    done
    [ ! -e "$jobs/printed/$id" ] || { echo "$id was abandoned, and is printed"; return 1; }
    [ -s "$jobs/abandoned/$id.reason" ] || { echo "the provider was not told that $id is abandoned"; return 1; }
}

# The first job: what npjobd takes for it once, it need not give back.
warm_up()
{
    log_mark
    smb SMB3_11 "$site/8000000" ok && printed ok "$site/8000000" && balance_note
}

# Has the reader of the one job that is on its way written something?
bytes_begun()
{
    [ -s "$(echo "$jobs"/[0-9]*/bytes)" ]
}
