#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What reads a folder of tapes: tape_files_test.sh DIGESTS. A folder that is taken for none, or for another, would let tests pass.
set -u
. "$(dirname "$(realpath "$0")")/tap.sh"
digests=$(realpath "$1")
folder=$(mktemp -d "${TMPDIR:-/tmp}/tape_files.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
mkdir none one both long

# A tape as bytes says nothing beyond its header.
head -c 16 /dev/zero >both/bytes
head -c 16 /dev/zero >both/x
head -c 16 /dev/zero >both/bytes.bin
printf 'tape 1\nopen\n' >both/text.tape
cp both/text.tape both/.hidden.tape
cp both/text.tape one
head -c 16 /dev/zero >long/"$(printf '%064d' 0)"

# named FOLDER NAME...: these tapes are in it, and no others.
named()
{
    local from=$1 said
    shift
    said=$("$digests" "$from") || return 1
    printf '%s\n' "$said"
    [ "$(sed -n 's/^[0-9a-f]\{16\} //p' <<<"$said")" = "$(printf '%s\n' "$@")" ]
}

# refused FOLDER WORDS: it gives up, and says so much on stderr.
refused()
{
    local code=0
    "$digests" "$1" 2>err || code=$?
    cat err
    [ "$code" -eq 2 ] && grep -qF -- "$2" err
}

check 'a folder with one tape' named one text
check 'bytes and text, by name' named both bytes bytes.bin text x
check 'a folder with nothing' refused none 'none: there is no tape in it'
check 'a folder that is not there' refused nowhere 'nowhere: No such file or directory'
check 'a name that is too long' refused long "long/$(printf '%064d' 0): the name is too long"
finish
