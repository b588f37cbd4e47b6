#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# npjobd from outside: its command line, its configuration, print jobs, its status.
# usage: npjobd_test.sh NPJOBD NPA_CLIENT
. "$(dirname "$(realpath "$0")")/npjobd_support.sh"

# run CODE ARGUMENT...: the daemon's command line; what it says is in out and err.
run()
{
    local wanted=$1 code
    shift
    timeout 60 "$NPJOBD" "$@" >out 2>err
    code=$?
    [ "$code" -eq "$wanted" ] || { echo "exit code $code, not $wanted"; cat out err; return 1; }
}

# ---------------------------------------------------------------------------------------------- the command line

says_version()
{
    local version
    version=$(awk '/^#define NPJ_VERSION_/ { printf "%s%s", dot, $3; dot = "." }' "$here/../include/npjob/npjob.h")
    run 0 --version && [ "$(cat out)" = "npjobd (npjob) $version" ]
}

says_help()
{
    run 0 --help && grep -q -- '--testparm' out && grep -q 'Usage: npjobd' out
}

refuses() # ARGUMENT...
{
    run 2 "$@" && [ "$(wc -l <err)" -eq 1 ] && grep -q '^npjobd: ' err
}

refuses_wrong_use()
{
    refuses --frobnicate && refuses print && refuses $'two\nlines' && refuses --json && refuses --verbose && refuses status --testparm &&
        refuses status status && refuses '' && grep -q 'there is one argument: status$' err && refuses --config '' &&
        grep -q -- '--config: an empty path' err
}

# Whatever it was to say.
no_room_to_say()
{
    local what
    configure || return 1
    for what in --help --usage --version '--testparm --verbose --config conf'; do
        # shellcheck disable=SC2086
        timeout 60 "$NPJOBD" $what >/dev/full 2>err
        [ $? -eq 1 ] && [ "$(cat err)" = 'npjobd: standard output: No space left on device' ] || { echo "$what"; cat err; return 1; }
    done
}

no_daemon_no_status()
{
    configure && run 1 status --config conf && grep -q 'is npjobd running?' err
}

# ---------------------------------------------------------------------------------------------- the configuration

# Also as descriptor 0.
testparm_good()
{
    configure && run 0 --testparm --config conf && [ ! -s err ] && [ ! -s out ] && run 0 --testparm --config conf <&-
}

testparm_verbose()
{
    run 0 --testparm --verbose --config conf && grep -q '^\[laser\]' out && grep -q 'stall timeout = 60' out
}

# What it prints is a configuration, and the same one.
testparm_again()
{
    cp out again && run 0 --testparm --verbose --config again && cmp out again
}

testparm_bad()
{
    configure 'max jobs = many' && run 2 --testparm --config conf && grep -q 'conf:4: ' err &&
        run 2 --config conf && grep -q 'conf:4: ' err &&
        configure - 'colour = red' && run 2 --testparm --config conf && grep -q 'colour' err &&
        run 2 --testparm --config nowhere && grep -q 'nowhere' err
}

# It does not wait for what may never come.
testparm_no_file()
{
    rm -f other && mkfifo other && run 2 --testparm --config other && grep -qx 'other: it is a FIFO, and no regular file' err &&
        run 2 --config other && grep -q 'other: it is a FIFO' err && run 2 status --config other || return 1
    run 2 --testparm --config . && grep -q 'it is a folder' err && run 2 --testparm --config /dev/zero &&
        grep -q 'it is a device' err && configure && ln -sf conf other && run 0 --testparm --config other &&
        run 0 --testparm --config /dev/stdin <conf
}

# By number a user need not be there.
testparm_smbd_user()
{
    local user
    for user in nobody 0 9 12345 4294967294; do
        configure "smbd user = $user" && run 0 --testparm --config conf || return 1
    done
    for user in no-such-user 12345x 4294967295 4294967296 99999999999999999999 -1; do
        configure "smbd user = $user" && run 2 --testparm --config conf && grep -qx "conf: smbd user: there is no user \"$user\"" err || return 1
    done
}

# The names that docs/samba.md gives.
testparm_pipes_of_samba()
{
    local name
    for name in spoolss srvsvc winreg lsarpc samr netlogon; do
        configure && sed -i "s/^\[laser\]/[$name]/" conf && run 2 --testparm --config conf &&
            grep -q "conf:4: $name is a pipe of Samba's own" err || return 1
    done
}

# ---------------------------------------------------------------------------------------------- jobs

job_whole()
{
    head -c 3000000 /dev/urandom >job
    client 0 <job && calls 'schedule 1' && arrived laser-1 job &&
        has ' info job=1 printer=laser client="192.0.2.7" job_id=1 bytes=3000000 packets=[1-9][0-9]* ms=[0-9]{1,6} status=STATUS_SUCCESS outcome=scheduled'
}

job_behind_the_handshake()
{
    printf 'short' >job
    client 0 --one <job && calls 'schedule 1' 'schedule 2' && arrived laser-2 job
}

every_level()
{
    echo 6 >job && client 0 --level 6 --address '' <job && calls 'schedule 1' 'schedule 2' 'schedule 3' &&
        has 'job=3 .* client="client.example" ' &&
        client 0 --level 8 <job && calls 'schedule 1' 'schedule 2' 'schedule 3' 'schedule 4'
}

# Whoever only looks whether the pipe is there prints nothing.
job_empty()
{
    client 0 </dev/null && has 'job=5 .*bytes=0 .*outcome=(refused|abandoned) whole="nothing was sent"'
}

# judged RULE FILE OUTCOME WORDS: how a job ends under a rule.
judged()
{
    local before
    before=$(grep -c 'job=' log)
    client 0 <"$2" || return 1
    has 'job=[0-9]+ ' $((before + 1)) || return 1
    tail -n 1 log | grep -E "outcome=$3 whole=\"$1: " || { tail -n 1 log; return 1; }
}

job_judged()
{
    printf '%%!PS-Adobe-3.0\nshowpage\n%%%%EOF\n' >whole.ps
    printf '%%!PS-Adobe-3.0\nshow' >part.ps
    printf '%%PDF-1.4\n1 0 obj\nstartxref\n9\n%%%%EOF\n' >whole.pdf
    printf '%%PDF-1.4\n1 0 obj\n' >part.pdf
    printf '\033%%-12345X@PJL\n\033%%-12345X' >whole.pjl
    printf '\033%%-12345X@PJL\n' >part.pjl
    local rule
    for rule in ps pdf pjl; do
        configure - "complete = $rule" && reload || return 1
        judged "$rule" "whole.$rule" scheduled || return 1
        judged "$rule" "part.$rule" abandoned || return 1
    done
    configure - 'complete = any' && reload || return 1
    for rule in ps pdf pjl; do
        judged "$rule" "whole.$rule" scheduled && judged "$rule" "part.$rule" abandoned || return 1
    done
    judged eof job scheduled
}

# Who prints, and where; and the world as the daemon was started into it.
provider_is_told()
{
    local number
    number=$(($(grep -c 'job=' log) + 1))
    configure && sed -i 's|/addjob" %J|/addjob" %J %p %s [%u]|' conf && printf 'echo "$*" >told\numask >>told\n' >>addjob &&
        reload && client 0 <job && has "job=$number .*outcome=scheduled" &&
        diff <(printf '%s\n' "laser-$number laser 192.0.2.7 []" "$(umask)") told
}

abandoned_by_name()
{
    grep -q '^abandon [0-9]* STATUS_NETWORK_NAME_DELETED$' calls
}

# ---------------------------------------------------------------------------------------------- telling

tells_status()
{
    run 0 status --config conf && [ ! -s err ] && grep -q '^npjobd running' out && grep -q '^laser ' out &&
        run 0 status --json --config conf && [ "$(wc -l <out)" -eq 1 ] && python3 -m json.tool out >/dev/null &&
        [ "$(number live)" = 0 ] && [ "$(number scheduled)" = "$(grep -c '^schedule' calls)" ] &&
        [ "$(number abandoned)" = "$(grep -c '^abandon' calls)" ] && [ "$(number packets_live)" = 0 ] &&
        [ "$(number refused)" = "$(grep -c 'outcome=refused' log)" ] && [ "$(sed 's/.*"uptime":\([0-9]*\),.*/\1/' out)" -lt 1000 ] &&
        run 0 status --config conf &&
        [ "$(awk '$1 == "laser" { print $3, $4, $5 }' out)" = "$(number scheduled) $(number abandoned) $(number refused)" ]
}

# An answer that breaks off is none.
tells_all_or_fails()
{
    printf '[global]\ncontrol socket = %s/liar\n[laser]\naddjob command = a\nschedule command = s\nabandon command = a\n' "$folder" >liar.conf
    python3 -c "
import socket
s = socket.socket(socket.AF_UNIX)
s.bind('liar')
s.listen()
for _ in range(2):
    one = s.accept()[0]
    one.recv(100)
    one.sendall(b'{\"state\":\"running\",\"printers\":[]}\\n')
    one.close()" &
    until_so test -S liar && run 1 status --json --config liar.conf && grep -q 'liar: Connection reset' err &&
        run 1 status --config liar.conf
}

# Asks late, and reads late. Of the five seconds that there are for each, two are left to a machine that is busy.
reads_slowly()
{
    python3 -c "
import json, socket, time
s = socket.socket(socket.AF_UNIX)
s.connect('control')
time.sleep(3)
s.sendall(b'status json\\n')
time.sleep(3)
told = b''
while part := s.recv(65536):
    told += part
assert told.endswith(b']}\\n\\0'), len(told)
names = [printer['name'] for printer in json.loads(told[:-1])['printers']]
assert names == ['laser', *(f'{number:060}' for number in range(1, 1001))], names"
}

# So many printers that their status is more than a socket takes at once, each where it stands in the file. Whoever has
# asked late has time all the same.
tells_in_time()
{
    local number
    configure && reload && cp conf many.conf || return 1
    for number in {1..1000}; do
        printf '[%060d]\naddjob command = a\nschedule command = s\nabandon command = a\n' "$number"
    done >>many.conf
    cp many.conf conf && reload && run 0 status --json --config conf || return 1
    reads_slowly || reads_slowly || reads_slowly || return 1
    configure && reload
}

# At once, and then as often as they are wanted now; whoever reads them is another user.
tells_metrics()
{
    configure "metrics file = $folder/metrics" 'metrics interval = 3600' && reload && until_so test -s metrics &&
        configure "metrics file = $folder/metrics" 'metrics interval = 1' && reload && rm metrics && until_so test -s metrics &&
        [ "$(stat -c %a metrics)" = 644 ] && grep -qx '# TYPE npjobd_jobs_total counter' metrics &&
        grep -qx '# TYPE npjobd_live_jobs gauge' metrics && grep -q "^npjobd_jobs_total{printer=\"laser\",outcome=\"scheduled\"} $(number scheduled)$" metrics &&
        ! compgen -G 'metrics.*' && awk '!/^#/ && !/^[a-z_]+({[^}]*})? [0-9]+$/ { bad = 1 } END { exit bad }' metrics
}

# What stands beside it is another's; and a daemon that does not come to serve lets the file of the one that does alone.
metrics_are_their_own()
{
    rm -f metrics && echo mine >metrics.new && until_so test -s metrics && [ "$(cat metrics.new)" = mine ] && ! "$NPJOBD" --config conf 2>err &&
        grep -q 'another process' err && grep -q 'printer="laser"' metrics
}

# Neither the configuration, however it is called, nor what is no file of its kind.
metrics_replace_nothing_else()
{
    configure "metrics file = $folder/./conf" && run 2 --testparm --config conf &&
        grep -q 'the "metrics file" is this file' err || return 1
    rm -f metrics && mkfifo metrics && configure "metrics file = $folder/metrics" && reload &&
        has 'metrics: cannot write .*no regular file' && [ -p metrics ] && configure && reload && [ -p metrics ] && rm metrics
}

# A metrics file that cannot be written is one line, however often it is tried, and another when it can.
metrics_in_trouble()
{
    mkdir -p full && configure "metrics file = $folder/full/metrics" 'metrics interval = 1' &&
        mkdir full/metrics && reload && has 'metrics: cannot write .*full/metrics' &&
        sleep 2.5 && [ "$(grep -c 'metrics: cannot write .*full/metrics' log)" -eq 1 ] && [ "$(ls -A full)" = metrics ] && rmdir full/metrics &&
        has 'full/metrics is written again' && test -s full/metrics &&
        configure "metrics file = $folder/nowhere/metrics" && reload &&
        has 'metrics: cannot write .*nowhere/metrics: No such file or directory'
}

# Nobody writes the old one any more: it would be read for ever.
metrics_move()
{
    configure "metrics file = $folder/old" && reload && until_so test -s old && configure "metrics file = $folder/new" &&
        reload && until_so test -s new && [ ! -e old ] && configure && reload && until_so test ! -e new
}

# Also from a disk that has no room for a last one, and none for one at another interval.
metrics_go_from_a_full_disk()
{
    configure "metrics file = $folder/kept" && reload && until_so test -s kept && prlimit --pid "$npjobd_pid" --fsize=0: &&
        configure "metrics file = $folder/kept" 'metrics interval = 3600' - '[other]' 'addjob command = a' \
            'schedule command = s' 'abandon command = a' && kill -HUP "$npjobd_pid" && until_so test -S n/np/other &&
        configure && kill -HUP "$npjobd_pid" && until_so test ! -e kept && prlimit --pid "$npjobd_pid" --fsize=unlimited:
}

# Written when no job is left, and with all that the engine has counted.
tells_metrics_at_the_end()
{
    configure "metrics file = $folder/last" 'metrics interval = 3600' && start && client 0 <job && stop &&
        grep -q '^npjobd_jobs_total{printer="laser",outcome="scheduled"} 1$' last &&
        grep -q '^npjobd_packets{printer="laser"} 0$' last && grep -q '^npjobd_packets_peak{printer="laser"} [1-9]' last &&
        grep -q '^npjobd_pool_bytes_peak{printer="laser"} [1-9]' last
}

# Beside each line the journal has how grave it is.
tells_the_journal()
{
    # shellcheck disable=SC2016
    configure && start "$BASH" -c 'JOURNAL_STREAM=$(stat -L -c %d:%i /dev/fd/2) exec "$@"' bash && stop && has '^<5>npjobd serves 1 printer$' &&
        has '^<5>npjobd ends$'
}

# Half a file is none.
metrics_on_a_full_disk()
{
    rm -f metrics* && configure "metrics file = $folder/metrics" 'metrics interval = 3600' &&
        start env LLVM_PROFILE_FILE=/dev/null prlimit --fsize=1000 && has 'metrics: cannot write .*/metrics: File too large' &&
        ! compgen -G 'metrics*' && stop
}

check 'says its version' says_version
check 'says what it takes' says_help
check 'wrong use is one line and 2' refuses_wrong_use
if [ -w /dev/full ]; then
    check 'a full disk is no success' no_room_to_say
fi
check 'no daemon, no status' no_daemon_no_status
check 'testparm: a good configuration' testparm_good
check 'testparm --verbose prints all of it' testparm_verbose
check 'and what it prints says the same' testparm_again
check 'testparm: a bad one, by file and line' testparm_bad
check 'testparm: what is no file' testparm_no_file
check 'testparm: users that are there, or may be' testparm_smbd_user
check 'testparm: a printer called like a pipe of Samba' testparm_pipes_of_samba
make_provider
configure
check 'it starts' start
number live >first # whoever asks first has libuv open what it keeps
before=$(held)
check 'a job, whole' job_whole
check 'a job in one piece with the handshake' job_behind_the_handshake
check 'every level of the handshake' every_level
check 'an empty job is none' job_empty
check 'jobs of each format, whole and not' job_judged
check 'the provider hears why' abandoned_by_name
check 'and who prints' provider_is_told
check 'it tells its status' tells_status
check 'all of it, or says that it cannot' tells_all_or_fails
check 'also a long one, to a slow reader' tells_in_time
check 'no descriptor is left over' until_so holds "$before"
check 'it tells its metrics' tells_metrics
check 'whatever stands beside them' metrics_are_their_own
check 'and replace nothing else' metrics_replace_nothing_else
check 'a metrics file in trouble' metrics_in_trouble
check 'a metrics file that moves' metrics_move
check 'and goes from a full disk' metrics_go_from_a_full_disk
check 'it stops, and all is given back' stop
check 'the last metrics are as good as any' tells_metrics_at_the_end
check 'metrics on a full disk' metrics_on_a_full_disk
check 'it tells the journal' tells_the_journal
finish
