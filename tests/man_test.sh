#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The manual pages name every option and every key of the configuration, with its default, and no others; examples in them are
# shown line by line.
# usage: man_test.sh NPJ NPJOBD DOCS
set -u
. "$(dirname "$(realpath "$0")")/tap.sh"
npj=$(realpath "$1")
npjobd=$(realpath "$2")
docs=$(realpath "$3")
folder=$(mktemp -d "${TMPDIR:-/tmp}/man.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

# The long options of a --help, one a line, and those of a page.
helped()
{
    grep -oE '^ *(-., |    )? *--[a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+' | sort -u
}

in_page()
{
    grep -oE '\*--[a-z0-9-]+\*' "$docs/$1" | tr -d '*' | sort -u
}

options_of_npjobd()
{
    "$npjobd" --help | helped >wanted && in_page npjobd.8.scd | diff wanted -
}

options_of_npj()
{
    local command
    for command in send q226513 tape explore states; do
        "$npj" $command --help
    done | helped | grep -vxE -- '--(help|usage|version)' >wanted
    in_page npj.1.scd | diff wanted -
}

# A page without a section for a command would name its options by chance only.
commands_of_npj()
{
    "$npj" --help | sed -n 's/^  npj \([a-z0-9]*\) .*/\1/p' | grep -v COMMAND | sort >wanted
    [ -s wanted ] && sed -n 's/^# NPJ \([A-Z0-9]*\)$/\1/p' "$docs/npj.1.scd" | tr 'A-Z' 'a-z' | sort | diff wanted -
}

# "key = default", or "key" where there is no default.
keys()
{
    printf '[x]\naddjob command = /a\nschedule command = /a\nabandon command = /a\n' >conf
    "$npjobd" --testparm --verbose --config conf >out && sed -n 's/^    //p' out | sed 's| = /a$||' | sort >keys
    [ "$(wc -l <keys)" -gt 10 ] &&
        sed -n 's/^\*\([a-z ]*\)\*\( =.*\)\{0,1\}$/\1\2/p' "$docs/npjobd.8.scd" | grep -vx status | sort | diff keys -
}

# The metrics that are written.
metrics()
{
    sed "s|^\[x\]|[global]\nncalrpc dir = $folder/n\ncontrol socket = $folder/control\nmetrics file = $folder/metrics\n&|" conf >conf2
    "$npjobd" --config conf2 2>log &
    local pid=$! end=$((SECONDS + 30))
    until [ -s metrics ] || [ $SECONDS -ge $end ]; do sleep 0.05; done
    kill $pid
    wait $pid && sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' metrics | sort >wanted && [ -s wanted ] &&
        grep -oE '\*npjobd_[a-z_]+\*' "$docs/npjobd.8.scd" | tr -d '*' | sort -u | diff wanted -
}

# The example has all of them too, and is good. What is commented out in it is the default.
example()
{
    local conf
    conf=$docs/../npjobd/npjobd.conf
    "$npjobd" --testparm --config "$conf" && sed -n 's/^#\{0,1\} *\([a-z ]*\) =.*/\1/p' "$conf" | sort -u >shown &&
        sed 's/ =.*//' keys | sort -u | diff - shown && sed 's/^#   /    /' "$conf" >given &&
        "$npjobd" --testparm --verbose --config given >wanted && "$npjobd" --testparm --verbose --config "$conf" | diff wanted -
}

# What is indented is filled like other text: a second line comes askew, and a long one is broken. Literal text is not.
examples_stay_as_they_are()
{
    awk 'FNR == 1 { before = "" }
        /^\t/ && before == "" && (length > 70 || /\+\+$/) { print FILENAME ":" FNR ": " $0; bad = 1 }
        { before = $0 }
        END { exit bad }' "$docs"/*.scd
}

check 'npjobd(8): the options' options_of_npjobd
check 'npjobd(8): the keys of the configuration and their defaults' keys
check 'npj(1): the commands' commands_of_npj
check 'npj(1): the options' options_of_npj
check 'npjobd(8): the metrics' metrics
check 'the example' example
check 'the examples in the pages stay as they are' examples_stay_as_they_are
finish
