#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a user of the library sees: link_test.sh SOURCE_ROOT, with the compilers in CC and CXX. Installs a release build into a folder
# of its own, looks at what it asks of libc, and builds and runs consumers outside the tree: by pkg-config and as a Meson
# subproject, in C11 and in C++17.
set -euo pipefail
source_root=$(cd "$1" && pwd)
. "$source_root/tests/tap.sh"

export CC=${CC:-cc} CXX=${CXX:-c++}
# The flags and sanitizers of the build that runs this test are not those of a user.
unset CFLAGS CXXFLAGS CPPFLAGS LDFLAGS MESON_BUILD_ROOT MESON_SOURCE_ROOT DESTDIR
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
warnings='-Wall -Wextra -Wpedantic -Werror'
prefix=$tmp/prefix
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
host=disabled
if pkg-config --exists 'libuv >= 1.44'; then
    host=enabled
fi

install_release()
{
    meson setup "$tmp/release" "$source_root" --buildtype=release --prefix="$prefix" --libdir=lib -Dwerror=true \
        -Dtests=disabled -Dtools=disabled -Dfuzz=disabled -Dtestkit=enabled -Dhost=$host &&
        meson compile -C "$tmp/release" && meson install -C "$tmp/release" --no-rebuild &&
        cmp "$source_root/LICENSE" "$prefix/share/doc/npjob/LICENSE"
}

# All that is installed. What is kept apart is compiled there as it is without.
builds_as_unity()
{
    meson setup "$tmp/unity" "$source_root" --buildtype=plain --unity=on -Dwerror=true -Dtests=disabled -Dfuzz=disabled \
        -Dman=disabled && ninja -C "$tmp/unity" -t targets all | sed -n 's/^\(.*-unity[0-9]*\.c\.o\): .*/\1/p' >"$tmp/together" &&
        [ -s "$tmp/together" ] && xargs ninja -C "$tmp/unity" <"$tmp/together"
}

# The names that the objects of an archive leave to others, less those that it defines itself.
undefined()
{
    nm "$1" | awk '
        NF == 2 && $1 ~ /^[Uwv]$/ { wanted[$2] }
        NF == 3 { defined[$3] }
        END { for (name in wanted) if (!(name in defined)) print name }'
}

# Beside the runtime of the compiler: some machines cannot divide, or count zeros, and some have a table for moved code.
asks_four_functions()
{
    undefined "$1" | awk '!/^(mem(cpy|move|set|cmp)|__(aeabi_|clz|u?div|mul)[a-z0-9]+|_GLOBAL_OFFSET_TABLE_)$/ {
        print "asks for " $0; bad = 1 } END { exit bad }'
}

has_no_variables()
{
    objdump -h "$prefix/lib/$1.a" | awk '
        $2 ~ /^\.(data|bss|tdata|tbss)/ && $2 !~ /\.rel\.ro/ && $3 !~ /^0+$/ { print $0; bad = 1 } END { exit bad }'
}

exports_its_own_names_only()
{
    nm -g --defined-only "$prefix/lib/$1.a" |
        awk -v known="$2" -v allowed="$3" '$3 == known { found = 1 }
            NF == 3 && $3 !~ allowed { print "defines " $3; bad = 1 }
            END { exit bad || !found }'
}

# With the headers of the compiler alone.
builds_freestanding()
{
    $CC -std=c11 -O2 $warnings -ffreestanding -nostdlib -nostdinc -isystem "$($CC -print-file-name=include)" -r \
        -I"$source_root/include" -o "$tmp/freestanding.o" "$source_root"/lib/*.c &&
        asks_four_functions "$tmp/freestanding.o"
}

host_headers()
{
    [ "$host" = disabled ] || ls "$prefix"/include/npjob-posix/*.h
}

# Each installed header by itself, and twice.
headers_stand_alone()
{
    local header name
    for header in "$prefix"/include/npjob/*.h "$prefix"/include/npjob-testkit/*.h $(host_headers); do
        name=${header#"$prefix/include/"}
        printf '#include <%s>\n#include <%s>\n' "$name" "$name" >"$tmp/header.c"
        $CC -std=c11 -D_POSIX_C_SOURCE=200809L $warnings -Wconversion -Wshadow -fsyntax-only -I"$prefix/include" \
            "$tmp/header.c" || return 1
        $CXX -x c++ -std=c++17 $warnings -Wconversion -Wshadow -fsyntax-only -I"$prefix/include" "$tmp/header.c" ||
            return 1
    done
}

readme_shows_a_loop()
{
    awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$source_root/README.md" >"$tmp/loop.c"
    grep -q npj_next "$tmp/loop.c" && [ "$(wc -l <"$tmp/loop.c")" -le 30 ]
}

# delivers PROGRAM: runs a consumer; the job must arrive, and nothing be left of it.
delivers()
{
    "$1" >"$tmp/said" || return 1
    printf '%s\n' 'a job, as a client sends it' \
        'closed=STATUS_SUCCESS packets=2 live=0 bytes=28 replies=5 memory=0' | diff - "$tmp/said"
}

by_pkg_config()
{
    (cd "$tmp" && "$@" $warnings $(pkg-config --cflags npjob) -o consumer $(pkg-config --libs npjob)) &&
        delivers "$tmp/consumer"
}

kit_by_pkg_config()
{
    (cd "$tmp" && $CC -std=c11 $warnings kit.c $(pkg-config --cflags npjob-testkit) -o kit \
        $(pkg-config --libs npjob-testkit)) && "$tmp/kit"
}

# The program of docs/testkit.md, with npjob in the place of another server. What is no tape is told of, and passed over.
page_shows_a_user_of_the_kit()
{
    awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$source_root/docs/testkit.md" >"$tmp/page.c"
    (cd "$tmp" && $CC -std=c11 $warnings -Dyour_server=npjt_subject_npjob page.c \
        $(pkg-config --cflags npjob-testkit) -o page $(pkg-config --libs npjob-testkit)) &&
        ! "$tmp/page" "$source_root"/tests/link/kit.c "$source_root"/corpus/tape/01-*.tape >"$tmp/said" 2>"$tmp/err" &&
        grep -q 'kit\.c:1:1: ' "$tmp/err" && grep -q '/01-.*: [1-9][0-9]* events' "$tmp/said"
}

# The program of docs/host.md, with the installed library: its commands make a FIFO, whose reader runs on.
page_shows_a_user_of_the_host()
{
    awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$source_root/docs/host.md" >"$tmp/host.c"
    (cd "$tmp" && $CC -std=c11 -D_POSIX_C_SOURCE=200809L $warnings host.c \
        $(pkg-config --cflags npjob-posix) -o host $(pkg-config --libs npjob-posix)) &&
        seq 10000 >"$tmp/sent" &&
        timeout 60 "$tmp/host" "sh -c 'mkfifo $tmp/fifo; (cat $tmp/fifo >$tmp/got) & echo $tmp/fifo; echo 7'" \
            "sh -c 'echo \"\$@\" >$tmp/scheduled' sh %p %J %j" "false %r" <"$tmp/sent" >"$tmp/said" || return 1
    printf 'STATUS_SUCCESS \n' | diff - "$tmp/said" && echo 'laser report 7' | diff - "$tmp/scheduled" &&
        arrives "$tmp/sent" "$tmp/got" || return 1
    local status=0
    timeout 60 "$tmp/host" false true true <"$tmp/sent" >"$tmp/said" || status=$?
    [ "$status" = 1 ] && grep -q '^STATUS_UNSUCCESSFUL .' "$tmp/said"
}

# arrives SENT GOT: the reader in the background has still to come to its end.
arrives()
{
    local i
    for i in $(seq 100); do
        ! cmp -s "$1" "$2" || return 0
        sleep 0.1
    done
    cmp "$1" "$2"
}

# What the headers say, what pkg-config says, and what is told of.
versions_agree()
{
    local version said
    version=$(awk '/^#define NPJ_VERSION_/ { printf "%s%s", dot, $3; dot = "." }' "$prefix/include/npjob/npjob.h")
    said=$(sed -n 's/^Version: //p' "$PKG_CONFIG_PATH"/*.pc | sort -u)
    echo "headers: $version; pkg-config: $said"
    [ "$said" = "$version" ] && grep -F "## [$version]" "$source_root/CHANGELOG.md"
}

# The example, the page and the providers' own --help.
providers_are_where_they_are_named()
{
    local provider
    cat "$prefix"/share/doc/npjob/examples/npjobd.conf "$prefix"/lib/npjob/npjob-* "$(man_page)" | sed 's/\\&//g' |
        grep -oE '/[^ ]*/npjob-(store|filter)' | sort -u >"$tmp/named"
    [ -s "$tmp/named" ] && while read -r provider; do
        [ -x "$provider" ] || { echo "there is no $provider"; return 1; }
    done <"$tmp/named"
}

man_page()
{
    ls "$prefix"/share/man/man8/npjobd.8 2>/dev/null || echo /dev/null
}

as_subproject()
{
    mkdir -p "$tmp/outside/subprojects" && ln -s "$source_root" "$tmp/outside/subprojects/npjob" &&
        cp "$tmp"/loop.c "$tmp"/consumer.c "$tmp"/consumer.cpp "$tmp/outside" &&
        cp "$source_root/tests/link/consumer.build" "$tmp/outside/meson.build" &&
        PKG_CONFIG_PATH= meson setup "$tmp/outside/build" "$tmp/outside" --wrap-mode=forcefallback -Dwerror=true &&
        meson compile -C "$tmp/outside/build"
}

check "installs ($CC)" install_release
check 'builds with --unity=on' builds_as_unity
check 'asks of libc for four functions only' asks_four_functions "$prefix/lib/libnpjob.a"
check 'has no variables' has_no_variables libnpjob
check 'defines npj_ and npji_ names only' exports_its_own_names_only libnpjob npj_next '^npji?_'
check 'the test kit defines npjt_ names only' exports_its_own_names_only libnpjob-testkit npjt_run '^npjt_'
check 'builds freestanding' builds_freestanding
check 'headers, pkg-config and changelog say the same version' versions_agree
check 'each header stands alone, in C11 and in C++17' headers_stand_alone
check 'the README shows the loop of a host' readme_shows_a_loop
cp "$source_root"/tests/link/consumer.c "$source_root"/tests/link/consumer.cpp "$source_root"/tests/link/kit.c "$tmp"
check 'a C11 consumer by pkg-config' by_pkg_config $CC -std=c11 consumer.c
check 'a C++17 consumer by pkg-config' by_pkg_config $CXX -std=c++17 consumer.cpp
check 'a consumer of the test kit by pkg-config' kit_by_pkg_config
check 'the page of the kit shows a user of it' page_shows_a_user_of_the_kit
if [ "$host" = enabled ]; then
    check 'the host has no variables' has_no_variables libnpjob-posix
    check 'the host defines npjp_ and npjpi_ names only' exports_its_own_names_only libnpjob-posix npjp_host_new '^npjpi?_'
    check 'the page of the host shows a user of it' page_shows_a_user_of_the_host
fi
if [ -x "$prefix/sbin/npjobd" ]; then
    check 'providers are where they are named' providers_are_where_they_are_named
fi
check 'builds as a Meson subproject' as_subproject
check 'a C11 consumer as a subproject' delivers "$tmp/outside/build/consumer_c"
check 'a C++17 consumer as a subproject' delivers "$tmp/outside/build/consumer_cpp"
finish
