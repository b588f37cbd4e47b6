# SPDX-License-Identifier: MIT
# Sourced by npj_test.sh: the cases of npj send in which all goes well.

# 100 MB, whole, through each kind of pipe.
sends_whole() { # KIND OPTION...
    read_pipe "$1" got
    ends 0 send big --pipe pipe "${@:2}"
    expect_arrival big
    [[ -s err ]] && fail "it says something on stderr: $(cat err)"
    local lent=0
    [[ " $* " == *' --lend '* ]] && lent=$(ledger packets 1)
    [[ $(ledger 'lent buffers' 1) == "$lent" ]] || fail "not $lent buffers were lent: $(cat out)"
}

case_stream_copy() { sends_whole stream; }
case_stream_lend() { sends_whole stream --lend; }
case_fifo_copy() { sends_whole fifo; }
case_fifo_lend() { sends_whole fifo --lend; }
case_seqpacket_copy() { sends_whole seqpacket --message; }
case_seqpacket_lend() { sends_whole seqpacket --message --lend --chunk 32K; }

case_messages_stay_whole() {
    read_pipe seqpacket got
    ends 0 send small --pipe pipe --message --chunk 1000
    expect_arrival small
    # 300001 bytes in messages of 1000
    [[ $said == 'messages 301 longest 1000' ]] || fail "$said"
}

case_empty_file() {
    : >empty
    read_pipe stream got
    ends 0 send empty --pipe pipe
    expect_arrival empty
}

case_devices() {
    read_pipe stream got
    ends 0 send /dev/null --pipe pipe
    reader_ends
    expect_balance
    [[ ! -s got ]] || fail "something came from /dev/null"
}

case_odd_chunks() {
    for chunk in 1 513 65535; do
        read_pipe stream got
        ends 0 send small --pipe pipe --chunk $chunk --limit 256K --batch 7
        expect_arrival small
    done
}

# What --help says of them.
case_short_options_and_defaults() {
    read_pipe stream got
    ends 0 send small -p pipe -c 1000
    expect_arrival small
    [[ $(ledger packets 1) == 301 ]] || fail "-c 1000: $(ledger packets 1) writes"
    [[ $(ledger limit 1) == $((16 << 20)) ]] || fail "the limit: $(ledger limit 1)"
    local limit
    for limit in 131072K=134217728 128m=134217728 134217728=134217728 128MiB=134217728 2G=2147483648 2GiB=2147483648; do
        read_pipe stream got
        ends 0 send small --pipe pipe --limit "${limit%=*}"
        expect_arrival small
        [[ $(ledger limit 1) == "${limit#*=}" ]] || fail "--limit ${limit%=*}: $(ledger limit 1)"
    done
    read_pipe stream got
    ends 0 send small -p pipe -q
    reader_ends
    [[ ! -s out && ! -s err ]] || fail "-q is not quiet: $(cat out err)"
}

case_standard_input() {
    for how in --copy --lend; do
        read_pipe fifo got
        (head -c 100000 small && sleep 0.3 && tail -c +100001 small) | timeout 60 "$npj" send - --pipe pipe $how >out 2>err
        expect_code 0 "${PIPESTATUS[1]}"
        expect_arrival small
    done
}

case_limit_of_one_write() {
    for how in --copy --lend; do
        read_pipe stream got
        ends 0 send small --pipe pipe --chunk 4096 --limit 4160 $how
        expect_arrival small
        [[ $(ledger packets 4) == 1 ]] || fail "more than one packet at once: $(cat out)"
    done
}

# As many bytes as one copy takes in the engine are enough, and said when one less is given.
case_least_limit() {
    local chunk least
    for chunk in 1 64 65 1000 4096 4097 5000 65537; do
        ends 2 send small --pipe pipe --chunk $chunk --limit 1
        least=$(sed -n 's/.* takes \([0-9]*\)$/\1/p' err)
        ends 2 send small --pipe pipe --chunk $chunk --limit $((least - 1))
        head -c $((3 * chunk)) small >few
        read_pipe stream got
        ends 0 send few --pipe pipe --chunk $chunk --limit "$least"
        expect_arrival few
    done
}

# What stands before and behind npj on the same input finds it as it was.
case_input_is_left_as_it_was() {
    mkfifo feed
    (cat small; sleep 1; printf "\nmore\n") >feed &
    (
        "$npj" send - --pipe nothing
        cat >rest
    ) <feed >out 2>err
    wait $!
    [[ $(tail -n 1 rest) == more ]] || fail "the rest was not read: $(cat err)"
}

case_closed_streams() {
    local closed
    for closed in '<&- >&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
        read_pipe stream got
        eval "timeout 60 \"\$npj\" send small --pipe pipe --quiet $closed"
        expect_code 0 $?
        reader_ends
        cmp -s small got || fail "$closed: the file did not arrive"
    done
}

case_hangup_that_is_ignored() {
    read_pipe stream got stall 1500
    rm -f err
    (trap '' HUP; exec "$npj" send big --pipe pipe --trace) >out 2>err &
    local sender=$!
    until_traced OPEN
    kill -s HUP $sender
    wait $sender
    expect_code 0 $?
    expect_arrival big
}

case_waits_for_the_pipe() {
    for kind in stream fifo; do
        read_pipe $kind got late 300
        ends 0 send small --pipe pipe --wait
        expect_arrival small
    done
}

# What npj shows on a terminal, which script(1) is to it, is in the file lines, as such.
shown() { # COMMAND...
    read_pipe stream got stall 1000
    timeout 60 script -qec "$(printf '%q ' "$@")" screen >/dev/null
    expect_code 0 $?
    reader_ends
    tr '\r' '\n' <screen >lines
}

# How much is taken, of how much if that is known, how fast.
case_progress() {
    local rate='[0-9.]+ [KM]iB/s'
    head -c 20000000 big >part
    shown "$npj" send part --pipe pipe
    grep -qE "^.\[K[0-9.]+ [KM]iB of 19\.1 MiB  [0-9]{1,2}%  $rate$" lines || fail "no progress: $(cat lines)"
    shown sh -c 'cat part | "$0" send - --pipe pipe' "$npj"
    grep -qE "^.\[K[0-9.]+ [KM]iB  $rate$" lines || fail "no progress of what has no end: $(cat lines)"
    shown "$npj" send part --pipe pipe --quiet
    ! grep -qE "$rate" lines || fail "--quiet shows progress: $(cat lines)"
    read_pipe stream got stall 1000
    ends 0 send part --pipe pipe
    expect_arrival part
    [[ ! -s err ]] || fail "progress where there is no terminal: $(cat err)"
}
