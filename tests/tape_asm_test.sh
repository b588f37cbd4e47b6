#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The tool that makes bytes of the corpus: tape_asm_test.sh TAPE_ASM. What it cannot read or write fails the build.
set -u
. "$(dirname "$(realpath "$0")")/tap.sh"
tape_asm=$(realpath "$1")
folder=$(mktemp -d "${TMPDIR:-/tmp}/tape_asm.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

# fails CODE WORDS ARGUMENT...: it ends with this code, and says so much on stderr.
fails()
{
    local wanted=$1 words=$2 code=0
    shift 2
    "$tape_asm" "$@" 2>err || code=$?
    cat err
    [ "$code" -eq "$wanted" ] && grep -qF -- "$words" err
}

good_text()
{
    printf 'tape 1\nopen\n' >good.tape
    "$tape_asm" good.tape good && [ "$(stat -c %s good)" -eq 20 ]
}

bad_text()
{
    printf 'tape 1\nopen\nprint\n' >bad.tape
    fails 2 'bad.tape:3:1: there is no event "print"' bad.tape bad && [ ! -e bad ]
}

long_text()
{
    { echo 'tape 1'; head -c 1048576 /dev/zero | tr '\0' '\n'; } >long.tape
    fails 2 'long.tape: the text is too long' long.tape long
}

check 'a good text becomes bytes' good_text
check 'a bad one is named, and nothing written' bad_text
check 'one that is too long is not cut' long_text
check 'one that is not there' fails 2 'none.tape: No such file or directory' none.tape none
check 'one that cannot be read' fails 2 '.: Is a directory' . none
check 'a folder that is not there' fails 1 'none/good: No such file or directory' good.tape none/good
check 'a disk that is full' fails 1 '/dev/full: No space left on device' good.tape /dev/full
check 'wrong use' fails 2 'usage: tape_asm IN.tape OUT' good.tape
finish
