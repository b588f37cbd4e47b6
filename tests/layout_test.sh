#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The rules of the tree: layout_test.sh SOURCE_ROOT. The arrows point one way,
#     include <- lib <- testkit <- {fuzz, bench, tests, tools},  include <- host <- {npjobd, tests, tools, fuzz, bench}
# and a folder's private headers are its own: the others see include/, testkit/include/ and host/include/ only. But for these:
# programs read tapes by the kit's means; the log takes for printable what the host does; the tests of the tapes read the table of
# their words, those of the search its table of states, those of command lines call what splits them, and tests/inside.h and the
# exhaustive search look into the engine.
set -euo pipefail
cd "$1"
. tests/tap.sh

folders='include lib host npjobd testkit fuzz bench tests tools'

sources()
{
    find "$@" -type f \( -name '*.c' -o -name '*.h' -o -name '*.cpp' \) | sort
}

# none LINES...: succeeds if the standard input is empty, and shows it otherwise.
none()
{
    ! grep .
}

no_long_file()
{
    find ${folders#include } -type f -exec awk 'FNR == 501 { print FILENAME }' {} + | none
}

# What is built, how, and by what; of npjobd also what is installed as it is. In a script it is the second line.
licence_first()
{
    {
        sources $folders
        find .ci $folders corpus docs scripts -type f \( -name meson.build -o -name '*.build' -o -name '*.sh' -o -name '*.py' \
            -o -perm -u+x -o -path 'npjobd/*' \)
        echo meson.build
        echo meson_options.txt
    } | sort -u | xargs awk '
        FNR == 1 { at = /^#!/ ? 2 : 1 }
        FNR == at && !/^(\/\* SPDX-License-Identifier: MIT \*\/|# SPDX-License-Identifier: MIT)$/ {
            print FILENAME ":" FNR ": " $0
        }' | none
}

# The headers that a freestanding C11 implementation has (C11 4.6), and string.h for a hosted one.
library_is_freestanding()
{
    sources include lib | xargs awk '
        /^[ \t]*#[ \t]*include[ \t]*</ {
            header = $0
            gsub(/.*<|>.*/, "", header)
            if (header !~ /^(float|iso646|limits|stdalign|stdarg|stdbool|stddef|stdint|stdnoreturn|string)\.h$/)
                print FILENAME ":" FNR ": " $0
        }' | none
}

# includes FOLDER PATTERN: every quoted include of FOLDER is a header of its own, or matches PATTERN.
includes()
{
    sources "$1" | xargs awk -v folder="$1" -v allowed="$2" '
        /^[ \t]*#[ \t]*include[ \t]*"/ {
            header = $0
            sub(/^[^"]*"/, "", header)
            sub(/".*/, "", header)
            if (header ~ allowed)
                next
            path = FILENAME
            sub(/[^\/]*$/, header, path)
            if (header !~ /\.\./ && ((getline line < path) >= 0 || (getline line < (folder "/" header)) >= 0)) {
                close(path)
                close(folder "/" header)
                next
            }
            print FILENAME ":" FNR ": " $0
        }' | none
}

only_the_search_looks_inside()
{
    sources $folders | grep -v -e '^lib/' -e '^tests/' |
        xargs awk '/\.\.\/lib\// && FILENAME !~ /explore_(arena|engine)\.c$/ { print FILENAME }' | none
}

no_angled_way_around()
{
    sources $folders | grep -v -e '^include/' -e '^tests/' |
        xargs awk '/^[ \t]*#[ \t]*include[ \t]*<npjob/ { print FILENAME ":" FNR ": " $0 }' |
        none
}

# Every relative link of a page leads to something that is there.
links_lead_somewhere()
{
    local page target
    find . -path ./build -prune -o -name '*.md' -print | sort | while read -r page; do
        { grep -oE '\]\([^)#]+' "$page" || true; } | sed 's/^](//' | { grep -vE '^[a-z]+:' || true; } | while read -r target; do
            [ -e "$(dirname "$page")/$target" ] || echo "$page: $target"
        done
    done | none
}

# Criterion's own are lost under -flto.
parameters_are_kept()
{
    { grep -rl 'ParameterizedTest' --include='*.[ch]' --exclude=parameters.h tests || true; } | none
}

# Neither what a merge leaves behind, nor blanks at the end of a line: nobody sees them in a page.
no_litter()
{
    { grep -rInE '^(<{7}|>{7}) |[[:blank:]]+$' $folders docs scripts ./*.md ./meson* || true; } | none
}

check 'the folders are there' test -d include -a -d lib -a -d host -a -d npjobd -a -d testkit -a -d fuzz -a \
    -d bench -a -d tests -a -d tools
check 'no file has more than 500 lines' no_long_file
check 'every source, build file and script begins with its licence' licence_first
check 'the library includes freestanding headers and string.h only' library_is_freestanding
check 'include/ includes itself only' includes include '^npjob/'
check 'lib/ includes include/' includes lib '^npjob/'
check 'host/ includes include/ and its own' includes host '^npjob(-posix)?/'
check 'testkit/ includes include/ and its own' includes testkit '^npjob(-testkit)?/|^\.\./lib/(engine|deadline)\.h$'
check 'but for the search, which looks into the engine' only_the_search_looks_inside
check 'fuzz/ includes the public headers, the parsers of npjobd and of its host, the reader of tapes, and its own' includes fuzz \
    '^npjob(-testkit|-posix)?/|^(npa|settings|whole|words|tape_files)\.h$'
check "bench/ includes the public headers, the host's pipe, npjobd's handshake and its own" includes bench \
    '^npjob(-testkit|-posix)?/|^\.\./host/pipe\.h$|^npa\.h$'
check 'tools/ includes the public headers and its own' includes tools '^npjob(-testkit|-posix)?/'
check 'npjobd/ includes those of the host, what is printable, and its own' includes npjobd '^npjob(-posix)?/|^\.\./host/text\.h$'
check 'tests/ includes the public headers, parts of the programs and its own' includes tests \
    '^npjob(-testkit|-posix)?/|^(loop\.c|(tape_words|tape_files|explore_state|twin_state)\.h|(engine|packet|deadline)\.h)$|^(text|words)\.h$|^(npa|settings|whole|listener|ini|settings_value|load|log|pool|control|explore|tool)\.h$'
check 'tests with parameters are those of tests/parameters.h' parameters_are_kept
check 'public headers are included by name' no_angled_way_around
check 'no merge has left its marks, no line ends in blanks' no_litter
check 'the links of the pages lead somewhere' links_lead_somewhere
finish
