# SPDX-License-Identifier: MIT
# Sourced by npj_test.sh: the cases of npj q226513, npj tape and npj states.

# ------------------------------------------------------------------------------------------------ q226513

# A figure of the table: size in bytes of line, as, column (1 writes, 2 and 3 srv_nt4, 4 and 5 npjob).
figure() { # SIZE UNIT copy|print COLUMN
    awk -v size="$1" -v unit="$2" -v as="$3" -v column="$4" '$1 == size && $2 == unit && $3 == as { print $(3 + column) }' out
}

case_q226513() {
    local as size unit packets bytes
    head -c 4194304 big >four
    ends 0 q226513 four
    [[ $(grep -cE '^[0-9].* (copy|print) +[0-9]' out) == 8 ]] || fail "not eight lines: $(cat out)"
    [[ $(sed -n 4,5p out | tr -d ' -' | tr '\n' ' ') == 'srv_nt4npjob jobaswritespacketspoolbytespacketspoolbytes ' ]] ||
        fail "the heading: $(cat out)"
    while read -r size unit bytes; do
        for as in copy print; do
            [[ $(figure "$size" $unit $as 4) == 0 ]] || fail "npjob: packets are left of $size $unit by $as"
            [[ $(figure "$size" $unit $as 5) == 0 ]] || fail "npjob: pool bytes are left of $size $unit by $as"
            packets=$(figure "$size" $unit $as 2)
            [[ $packets == "$(figure "$size" $unit $as 1)" ]] || fail "srv_nt4 does not lose each packet of $size $unit by $as"
            [[ $(figure "$size" $unit $as 3) -gt $bytes ]] || fail "srv_nt4 loses less than the job, $size $unit by $as"
        done
        [[ $(figure "$size" $unit print 3) -gt $(figure "$size" $unit copy 3) ]] || fail "print loses no more than copy"
        [[ $(figure "$size" $unit print 1) == $((bytes / 512)) ]] || fail "print does not write 512 bytes at a time"
        [[ $(figure "$size" $unit copy 1) == $((bytes / 65536)) ]] || fail "copy does not write 64 KiB at a time"
        # In proportion: so many times the loss of the smallest job.
        for as in copy print; do
            [[ $(figure "$size" $unit $as 3) == $(($(figure 64 KiB $as 3) * bytes / 65536)) ]] ||
                fail "the loss of $size $unit by $as is not in proportion"
        done
    done <<<$'64 KiB 65536\n256 KiB 262144\n1 MiB 1048576\n4 MiB 4194304'
}

case_q226513_event_2019() {
    head -c 1048576 big >one
    ends 0 q226513 one --sizes 1M --pool 512K
    [[ $(grep -c 'Event 2019: srv_nt4 could not allocate' out) == 2 ]] || fail "no Event 2019: $(cat out)"
    [[ ! -s err ]] || fail "npjob ran out of pool: $(cat err)"
    [[ $(figure 1 MiB copy 5) == 0 && $(figure 1 MiB copy 1) == 16 ]] || fail "npjob did not do the job: $(cat out)"
    ends 2 q226513 one --sizes 1M --pool 16K
    expect_line 'npj q226513: --pool: one of the writes takes more than 16384 bytes'
    [[ ! -s out ]] || fail "a pool that is too small begins a table: $(cat out)"
    ends 0 q226513 one --sizes 1K --pool 16K
    ends 2 q226513 one --sizes 1M --pool 512K --print-bytes 1M
}

# Each as it is, though they look alike: no two jobs have one name.
case_q226513_sizes() {
    ends 0 q226513 small
    [[ $(figure 300001 B copy 1) == 5 ]] || fail "the whole file is not there: $(cat out)"
    ends 0 q226513 small --sizes 65535,65536,1KiB,1K,96k,300000
    [[ $(awk '$3 == "copy" { printf "%s %s ", $1, $2 }' out) == '1 KiB 65535 B 64 KiB 96 KiB 300000 B ' ]] ||
        fail "the sizes: $(cat out)"
    ends 0 q226513 small --sizes 1K --print-bytes 1048575
    grep -q ', print 1\.0 MiB$' out || fail "not rounded to a megabyte: $(sed -n 2p out)"
}

case_q226513_plot() {
    command -v gnuplot >/dev/null || { echo 'gnuplot is not there: no plot is tested'; return; }
    ends 0 q226513 small --sizes 64K,128K,256K --plot plot.svg
    grep -q '<svg' plot.svg || fail "no SVG"
    grep -q 'pool bytes left behind \[KiB\]' plot.svg || fail "the axis of the plot has no label"
    grep -q 'srv_nt4, print (512-byte writes)' plot.svg || fail "the plot has no key"
    ends 0 q226513 small --sizes 64K,128K --plot "it's.png"
    [[ $(head -c 4 "it's.png" | tail -c 3) == PNG ]] || fail "no PNG"
}

case_q226513_errors() {
    local line
    while read -r code file line; do
        ends "$code" q226513 "$file" --sizes 1M
        expect_line "npj q226513: $line"
    done <<EOF2
3 missing.ps missing.ps: No such file or directory
3 . .: not a regular file
3 /dev/null /dev/null: not a regular file
2 small small: no size of --sizes is within its 300001 bytes
EOF2
    ends 2 q226513 small four
    expect_line 'npj q226513: one file only: "four"'
    : >empty
    ends 3 q226513 empty
    expect_line 'npj q226513: empty: an empty file'
    PATH=/nonexistent "$npj" q226513 small --sizes 64K --plot x.svg >out 2>err
    expect_code 3 $?
    expect_line 'npj q226513: gnuplot is needed and not there (Debian: gnuplot-nox)'
    ends 3 q226513 small --sizes 64K --plot nowhere/x.svg
    expect_line 'npj q226513: nowhere/x.svg: No such file or directory'
}

# ------------------------------------------------------------------------------------------------ tape

case_tape() {
    cat >job.tape <<'EOF2'
# a job that goes well
tape 1 max_jobs=4 max_write=4096
open client=1 provider=1
write job=newest length=4096 how=copy
close job=newest
host count=all
EOF2
    ends 0 tape asm job.tape -o job.bin
    timeout 20 "$npj" tape dis job.bin >one.tape
    expect_code 0 $?
    timeout 20 "$npj" tape asm - -o - <one.tape | cmp -s - job.bin || fail "text and bytes do not agree"
    timeout 20 "$npj" tape dis - <job.bin | cmp -s - one.tape || fail "standard input is read otherwise"
    ends 0 tape run --trace job.tape
    grep -qx 'job 1: OPEN -- CLOSE --> OPEN SUCCESS' out || fail "no trace: $(head -3 out)"
    grep -qx 'job 1: SCHEDULING -- FINISH --> GONE SUCCESS' out || fail "the trace has no end: $(tail -3 out)"
    ends 0 tape run job.tape job.bin
    [[ $(sed 's/^[^:]*: //' out | sort -u | wc -l) == 1 ]] || fail "text and bytes run otherwise: $(cat out)"
    grep -q ' packets_allocated=1 packets_released=1 .*live=0 .*findings=0$' out || fail "counters: $(cat out)"
    printf '\ntape 1 max_jobs=1\nadd\nadd\n' >two.tape
    ends 0 tape run --trace two.tape
    grep -qx "event 2019: the engine's cap refuses a new job" out || fail "no Event 2019 for a job: $(cat out)"
    printf '  tape 1 max_packets=1\nopen\nwrite\nwrite\n' >two.tape
    ends 0 tape run --trace two.tape
    grep -qx "event 2019: the engine's cap refuses a write" out || fail "no Event 2019 for a write: $(cat out)"
}

case_tape_finds_the_leak() {
    {
        echo 'tape 1'
        echo 'open client=1 provider=1'
        for _ in {1..40}; do
            echo 'writes job=newest length=4096 count=4'
            echo 'host count=all'
        done
    } >leak.tape
    ends 0 tape run leak.tape
    ends 1 tape run --nt4 leak.tape
    grep -q 'npj tape: leak.tape: law 2, packets, is broken' err || fail "the leak is not found: $(head -c 600 err)"
    grep -q '^tape 1' err || fail "the finding has no tape"
}

case_tape_errors() {
    for verb in run dis 'asm -o x'; do
        # shellcheck disable=SC2086
        ends 3 tape $verb missing.tape
        expect_line 'npj tape: missing.tape: No such file or directory'
    done
    printf 'tape 1\nwrite job=newest length=many\n' >bad.tape
    for verb in 'run' 'asm -o x'; do
        # shellcheck disable=SC2086
        ends 3 tape $verb bad.tape
        expect_line 'npj tape: bad.tape:2:'
    done
    echo 'tape 1' >good.tape
    ends 3 tape asm good.tape -o nowhere/x
    expect_line 'npj tape: nowhere/x: No such file or directory'
    ends 3 tape dis good.tape
    expect_line 'npj tape: good.tape: is text already'
    : >nothing.bin
    ends 0 tape run nothing.bin
    ends 3 tape run missing.tape nothing.bin
    grep -q '^nothing.bin: ' out || fail "the second is not played: $(cat out)"
    truncate -s $((16 << 20)) long.bin
    ends 0 tape run long.bin
    truncate -s +1 long.bin
    ends 3 tape run long.bin
    expect_line 'npj tape: long.bin: too large for a tape'
}

# A part of a tape is a tape, and would pass for it.
case_tape_on_a_full_disk() {
    printf 'tape 1\nadd client=1 provider=1\n' >whole.tape
    (trap '' XFSZ; ulimit -f 0; exec timeout 20 "$npj" tape asm whole.tape --output part.bin 2>&1) | cat >err
    expect_code 3 "${PIPESTATUS[0]}"
    expect_line 'npj tape: part.bin: File too large'
    [[ ! -e part.bin ]] || fail "a part is left"
    echo whole >real.bin
    ln -s real.bin link.bin
    (trap '' XFSZ; ulimit -f 0; exec timeout 20 "$npj" tape asm whole.tape --output link.bin 2>&1) | cat >err
    expect_line 'npj tape: link.bin: File too large'
    [[ ! -e real.bin ]] || fail "a part is left where the link leads"
}

# With less room than a file may take. A sanitizer needs more for itself.
case_tape_without_memory() {
    [[ -z ${NPJ_TEST_SANITIZED-} ]] || return 0
    echo 'tape 1' >good.tape
    (ulimit -v 16000; exec timeout 20 "$npj" tape run good.tape) >out 2>err
    expect_code 3 $?
    expect_line 'npj tape: good.tape: Cannot allocate memory'
}

# What is closed is no empty input, and no output that takes all.
case_nothing_is_lost_to_closed_streams() {
    timeout 20 "$npj" tape run - >out 2>err <&-
    expect_code 3 $?
    expect_line 'npj tape: -: Bad file descriptor'
    timeout 20 "$npj" states 2>err >&-
    expect_code 3 $?
    expect_line 'npj: standard output: Bad file descriptor'
    timeout 20 "$npj" send - --pipe nobody >out 2>err <&-
    expect_code 3 $?
    [[ -s err ]] || fail "nothing is said"
}

# Every string of bytes is a tape, but what is plainly text has to be a good one.
case_tape_is_no_text() {
    local text
    for text in 'tape1 max_jobs=16' 'Tape 1' 'open client=1 provider=1' '# a job' 'ein Wort: größer' 'tape 2'; do
        printf '%s\r\n' "$text" >mistyped.tape
        ends 3 tape run mistyped.tape
        expect_line 'npj tape: mistyped.tape:'
        [[ ! -s out ]] || fail "it is played: $(cat out)"
    done
    ends 3 tape dis mistyped.tape
    expect_line 'npj tape: mistyped.tape: is text already'
    printf '\xef\xbb\xbftape 1\n' >marked.tape
    ends 3 tape run marked.tape
    expect_line 'npj tape: marked.tape:1:1: a byte order mark stands before the text'
    for text in 'three bytes: \342\202\254' 'four: \360\237\226\250' 'last: \364\217\277\277'; do
        # shellcheck disable=SC2059
        printf "$text\n" >mistyped.tape
        ends 3 tape run mistyped.tape
        expect_line 'npj tape: mistyped.tape:'
    done
    for text in 'printable bytes, but no line' 'a line\nand\0' 'a line\n\177' 'Latin\n\344 1' 'cut off\n\303' \
        'overlong\n\300\200' 'overlong\n\340\237\277' 'overlong\n\360\217\277\277' 'a surrogate\n\355\240\200' \
        'beyond the last\n\364\220\200\200' 'no first byte\n\200' 'a letter within\n\342\202a'; do
        # shellcheck disable=SC2059
        printf "$text" >odd.bin
        ends 0 tape run odd.bin
    done
}

case_states_errors() {
    PATH=/nonexistent "$npj" states --svg x.svg >out 2>err
    expect_code 3 $?
    expect_line 'npj states: dot is needed and not there (Debian: graphviz)'
    echo kept >x.svg
    PATH=/nonexistent "$npj" states --svg x.svg >out 2>err
    [[ $(cat x.svg) == kept ]] || fail "what was there is lost"
    if [[ -w /dev/full ]] && command -v dot >/dev/null; then
        ends 3 states --svg /dev/full
        expect_line 'npj states: /dev/full: No space left on device'
    fi
    mkdir fake
    local what line
    while IFS=: read -r what line; do
        printf '#!/bin/sh\n%s\n' "$what" >fake/dot
        chmod +x fake/dot
        PATH=fake:$PATH "$npj" states --svg x.svg >out 2>err
        expect_code 3 $?
        expect_line "npj states: dot $line"
        [[ $(cat x.svg) == kept ]] || fail "what was there is lost: $line"
    done <<'EOF2'
echo half; exit 1:failed with exit code 1
echo half; kill -9 $$:was ended by signal 9
exit 0:has drawn nothing
EOF2
    "$npj" states | cmp -s - <("$npj" states --table) || fail "the table is not what is printed by itself"
    ends 3 states --svg nowhere/x.svg
    expect_line 'npj states: nowhere/x.svg: No such file or directory'
}
