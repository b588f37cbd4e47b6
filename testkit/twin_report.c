/* SPDX-License-Identifier: MIT */
/* What is wrong, in one sentence, and the script that shows it. */
#include <stdarg.h>
#include <stdio.h>

#include "twin_state.h"

void npjt_twin_differ(struct npjt_twin *twin, const char *format, ...)
{
    if (twin->found)
        return;
    twin->found = true;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(twin->sentence, sizeof twin->sentence, format, arguments);
    va_end(arguments);
}

void npjt_difference_print(const npjt_difference *finding)
{
    static const npjt_twin_options none;
    struct twin_script script;
    char line[160];
    npjt_twin_decode(&script, finding->script, finding->size, &none);
    (void)fprintf(stderr, "%s breaks relation %s: %s\n", finding->subject, npjt_relation_name(finding->relation),
                  finding->sentence);
    (void)fprintf(stderr, "engine 0x%02x, seed %u\n", script.engine, script.seed);
    for (uint32_t i = 0; i < script.count; i++) {
        npjt_twin_text(line, sizeof line, &script.steps[i]);
        (void)fprintf(stderr, "%s\n", line);
    }
    (void)fflush(stderr);
}
