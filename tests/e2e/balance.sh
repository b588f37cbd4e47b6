# SPDX-License-Identifier: MIT
# Sourced by the end-to-end tests: what npjobd must have given back when its jobs are over. The caller has sourced site.sh.

# After the first jobs a process is as large as it has to be; what it grows beyond that is held against this bound.
rss_bound_kib=4096

# proc FIELD: a figure in KiB from npjobd's status in /proc.
proc()
{
    awk -v field="$1:" '$1 == field { print $2 }' "/proc/$(cat "$site/npjobd.pid")/status"
}

open_files()
{
    ls "/proc/$(cat "$site/npjobd.pid")/fd" | wc -l
}

children()
{
    cat "/proc/$(cat "$site/npjobd.pid")/task/$(cat "$site/npjobd.pid")/children"
}

nothing_lives()
{
    local said
    said=$(npjobd_status) && grep -q '"live":0,' <<<"$said" &&
        ! grep -Eq '"(live|packets_live|pool_bytes_live)":[1-9]' <<<"$said" && [ -z "$(children)" ]
}

# The balance to come back to: npjobd has printed something, and is idle.
balance_note()
{
    balance_files=0
    until_true 15 nothing_lives && until_true 15 files_rest && balance_rss=$(proc VmRSS)
}

# As many files open as when this was last asked?
files_rest()
{
    local before=$balance_files
    balance_files=$(open_files)
    [ "$balance_files" -eq "$before" ]
}

balanced()
{
    nothing_lives && [ "$(open_files)" -eq "$balance_files" ] &&
        { [ -n "$sanitized" ] || [ "$(proc VmRSS)" -le $((balance_rss + rss_bound_kib)) ]; }
}

# Comes back to the balance soon, or says what is left, which the next case is not to be blamed for.
balance()
{
    until_true 15 balanced && return
    echo "npjobd has not given back everything: $(open_files) files open, $balance_files before;" \
        "RSS $(proc VmRSS) KiB, $balance_rss before; children: $(children); status:"
    "$npjobd" status --config "$site/npjobd.conf" | awk 'NR <= 3 || $2 > 0 || $7 !~ /^0\//'
    balance_note
    return 1
}
