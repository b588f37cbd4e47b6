#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# When scripts/configure makes a build folder anew: configure_test.sh SOURCE_ROOT. Script and meson are the real ones, the tree has
# one program.
set -euo pipefail
cd "$1"
. tests/tap.sh

tree=$(mktemp -d)
trap 'rm -rf "$tree" "$tree".*' EXIT
mkdir "$tree/scripts"
cp -r scripts/configure scripts/common "$tree/scripts"
printf '%s\n' "project('one', 'c')" "executable('one', 'one.c')" >"$tree/meson.build"
echo 'int main(void) { return 0; }' >"$tree/one.c"
folder="$tree/a build"
export CC=cc CXX=c++

configure()
{
    "$tree/scripts/configure" "$folder" "$@"
}

# left COMMAND...: the command leaves the folder as it is; anew COMMAND...: it makes it anew.
left()
{
    : >"$folder/mine"
    "$@" && [ -e "$folder/mine" ]
}
anew()
{
    : >"$folder/mine"
    "$@" && [ ! -e "$folder/mine" ] && ninja -C "$folder" && "$folder/one"
}

# Which is built, and where, is not what the folder was copied from.
copied()
{
    local status=0
    configure -Dbuildtype=debug && cp -a "$tree" "$tree.second" && mv "$tree" "$tree.away" || return
    (folder="$tree.second/a build" && tree=$tree.second && anew configure -Dbuildtype=debug) || status=1
    mv "$tree.away" "$tree" && [ "$status" -eq 0 ]
}

interrupted()
{
    rm "$folder/npjob-options"
    anew configure -Dbuildtype=release
}

# What meson refuses is refused again, and not taken for configured.
refused()
{
    local status
    for _ in 1 2; do
        status=0
        configure -Dbuildtype=none-of-these || status=$?
        [ "$status" -eq 1 ] || return 1
    done
    configure -Dbuildtype=release && ninja -C "$folder"
}

flags_do_not_count()
{
    CFLAGS='-DNO -fno-such-flag' configure -Dbuildtype=debug && ! grep -e -DNO "$folder/compile_commands.json"
}

# Somebody's own folder stays as it was.
not_ours()
{
    local status=0
    mkdir "$tree/own"
    echo 'dear to me' >"$tree/own/letter"
    "$tree/scripts/configure" "$tree/own" || status=$?
    [ "$status" -eq 2 ] && [ "$(cat "$tree/own/letter")" = 'dear to me' ] && [ "$(ls "$tree/own")" = letter ]
}

wrong_use()
{
    local status=0
    "$tree/scripts/configure" "$@" || status=$?
    [ "$status" -eq 2 ]
}

check 'a folder that is not there' configure -Dbuildtype=release
check 'the same again' left configure -Dbuildtype=release
check 'other options' anew configure -Dbuildtype=debug
check 'another compiler' anew env "CC=cc -pipe" "$tree/scripts/configure" "$folder" -Dbuildtype=debug
check 'a copy of the tree' copied
check 'what was interrupted' interrupted
check 'what meson refuses' refused
check 'flags of the environment' flags_do_not_count
check 'a folder that is no build' not_ours
check 'no folder' wrong_use
check 'an option for a folder' wrong_use -Dbuildtype=debug
finish
