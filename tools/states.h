/* SPDX-License-Identifier: MIT */
/** @file The table of states and events, as text and as a picture. Both are made from npj_table_cell() alone. */
#ifndef NPJ_STATES_H
#define NPJ_STATES_H

#include <stdio.h>

/** Prints the table with aligned columns: a row for each event, a column for each state, and the key. */
void states_print_table(FILE *out);

/** Prints the table in Markdown, with a heading and the picture: docs/states.md. */
void states_print_markdown(FILE *out);

/** Prints the diagram in the DOT language: docs/states.dot. */
void states_print_dot(FILE *out);

#endif
