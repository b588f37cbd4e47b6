# SPDX-License-Identifier: MIT
# Sourced by the scripts, with their $usage set: --help, the root of the tree, how to fail.

# Numbers are written and read as C writes them.
export LC_ALL=C

root=${BASH_SOURCE[0]%/scripts/common/script.sh}

# fail STATUS TEXT
fail()
{
    printf '%s: %s\n' "${0##*/}" "$2" >&2
    exit "$1"
}

wrong_use()
{
    fail 2 "$1; see scripts/${0##*/} --help"
}

# need PROGRAM...
need()
{
    local program
    for program; do
        command -v "$program" >/dev/null || fail 77 "there is no $program here; scripts/bootstrap installs it"
    done
}

case " $* " in
*' -h '* | *' --help '*)
    printf '%s\n' "$usage"
    exit 0
    ;;
esac
