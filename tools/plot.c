/* SPDX-License-Identifier: MIT */
/* The picture of `npj q226513`. */
#define _GNU_SOURCE
#include "plot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "run_program.h"
#include "tool.h"

typedef struct plot_picture {
    const char *path;
    const char *const *titles;
    const plot_point *points;
    size_t count;
} plot_picture;

static bool ends_in(const char *path, const char *ending)
{
    size_t length = strlen(path);
    size_t tail = strlen(ending);
    return length > tail && strcasecmp(path + length - tail, ending) == 0;
}

bool plot_can_draw(const char *path)
{
    return ends_in(path, ".svg") || ends_in(path, ".png");
}

/* In gnuplot's single quotes only the quote itself means something. */
static void print_quoted(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text != '\0'; text++)
        fputs(*text == '\'' ? "''" : (char[2]){*text, '\0'}, out);
    fputc('\'', out);
}

static void print_axes(FILE *out, const plot_picture *picture)
{
    uint64_t widest = picture->points[picture->count - 1].job_bytes;
    uint64_t highest = 1;
    for (size_t i = 0; i < picture->count; i++)
        for (int series = 0; series < PLOT_SERIES; series++)
            if (picture->points[i].pool_bytes[series] > highest)
                highest = picture->points[i].pool_bytes[series];
    bool large = widest >= 1 << 20;
    const char *unit = large ? "MiB" : "KiB";
    double scale = large ? 1 << 20 : 1 << 10;
    fprintf(out,
            "set title 'Pool left behind by one print job: its packets, after it has ended (KB Q226513)'\n"
            "set xlabel 'size of the job [%s]'\nset ylabel 'pool bytes left behind [%s]'\nscale = %.1f\n",
            unit, unit, scale);
    /* Room below zero, so that the line that stays there is seen beside the axis. */
    fprintf(out, "set xrange [0:%f]\nset yrange [%f:%f]\n", (double)widest / scale * 1.03,
            (double)highest / scale * -0.04, (double)highest / scale * 1.15);
    fputs("set key left top Left reverse samplen 3 spacing 1.3 noenhanced\nset grid lc rgb '#cccccc'\nset border 3\n"
          "set tics nomirror\n",
          out);
}

static void print_plot(FILE *out, const void *user)
{
    static const char *const styles[PLOT_SERIES] = {"lc rgb '#b3372b' pt 7 lw 2", "lc rgb '#e08a1e' pt 5 lw 2",
                                                    "lc rgb '#2b5f9e' pt 9 ps 1.4 lw 2",
                                                    "lc rgb '#3a9a5b' pt 2 ps 0.8 lw 2 dt 2"};
    const plot_picture *picture = user;
    fprintf(out, "set terminal %s size 900,540 %s\n", ends_in(picture->path, ".svg") ? "svg" : "pngcairo",
            ends_in(picture->path, ".svg") ? "dynamic font 'Helvetica,12' background rgb 'white'"
                                           : "font 'Helvetica,11'");
    print_axes(out, picture);

    fputs("$left << END\n", out);
    for (size_t i = 0; i < picture->count; i++) {
        fprintf(out, "%" PRIu64, picture->points[i].job_bytes);
        for (int series = 0; series < PLOT_SERIES; series++)
            fprintf(out, " %" PRIu64, picture->points[i].pool_bytes[series]);
        fputc('\n', out);
    }
    fputs("END\nplot ", out);
    for (int series = 0; series < PLOT_SERIES; series++) {
        fprintf(out, "%s$left using ($1/scale):($%d/scale) with linespoints %s title ", series > 0 ? ", " : "",
                series + 2, styles[series]);
        print_quoted(out, picture->titles[series]);
    }
    fputc('\n', out);
}

bool plot_draw(const char *path, const char *const titles[PLOT_SERIES], const plot_point *points, size_t count)
{
    const plot_picture picture = {.path = path, .titles = titles, .points = points, .count = count};
    char *argv[] = {"gnuplot", NULL};
    return run_program("q226513", argv, "gnuplot-nox", print_plot, &picture, path);
}
