/* SPDX-License-Identifier: MIT */
/*
 * Inside the test kit: the meanings of operands by name, for the driver and the search. In the order of the words in
 * tape.c, which tests/tape_test.c holds against these.
 */
#ifndef NPJOB_TESTKIT_TAPE_WORDS_H
#define NPJOB_TESTKIT_TAPE_WORDS_H

#include "npjob-testkit/tape.h"

enum {
    JOB_NEWEST,
    JOB_OLDEST = 8,
    JOB_ENDED = 16,
    JOB_FORGED_SLOT = 19,
    JOB_FORGED_GENERATION,
    JOB_OPERATION,
    JOB_WRITE,
    JOB_NULL
};
enum {
    WRITE_NEWEST,
    WRITE_OLDEST = 8,
    WRITE_ANSWERED = 16,
    WRITE_FORGED_SLOT = 18,
    WRITE_FORGED_GENERATION,
    WRITE_OPERATION,
    WRITE_JOB,
    WRITE_NULL
};
enum { OP_NEWEST, OP_OLDEST = 8, OP_ENDED = 12, OP_FORGED_SLOT = 15, OP_FORGED_GENERATION, OP_JOB, OP_WRITE, OP_NULL };
enum {
    LENGTH_FIXED = 27,
    LENGTH_MAX = 27,
    LENGTH_MAX_LESS,
    LENGTH_MAX_MORE,
    LENGTH_HALF,
    LENGTH_FIT,
    LENGTH_FIT_MORE,
    LENGTH_HUGE
};
enum { HOW_COPY, HOW_LEND, HOW_COPY_NULL, HOW_LEND_NULL, HOW_NEITHER, HOW_BOTH, HOW_UNKNOWN };
enum { STATUS_SUCCESS, STATUS_PENDING, STATUS_INFORMATIONAL, STATUS_WARNING, STATUS_FIRST_ERROR };
enum { PATH_PIPE, PATH_FILE = 8, PATH_NESTED = 10, PATH_PARENT = 14, PATH_NULL };
enum { MODE_DEFAULT, MODE_BYTE, MODE_MESSAGE, MODE_UNKNOWN };
enum {
    AMOUNT_ALL,
    AMOUNT_0,
    AMOUNT_1,
    AMOUNT_HALF,
    AMOUNT_ALL_LESS,
    AMOUNT_ALL_MORE,
    AMOUNT_FIRST,
    AMOUNT_FIRST_LESS,
    AMOUNT_FIRST_MORE,
    AMOUNT_FIRST_HALF,
    AMOUNT_HUGE
};
enum { TIME_FIXED = 10, TIME_DEADLINE_LESS = 10, TIME_DEADLINE, TIME_DEADLINE_MORE, TIME_BACK, TIME_LAST, TIME_NEVER };
enum {
    CALL_ADD_JOB,
    CALL_CONNECT,
    CALL_WRITE,
    CALL_CLOSE,
    CALL_CANCEL,
    CALL_JOB_ADDED,
    CALL_OPENED,
    CALL_WRITTEN,
    CALL_DONE,
    CALL_ABORT,
    CALL_CLIENT_GONE,
    CALL_PROVIDER_GONE,
    CALL_SHUTDOWN,
    CALL_ADVANCE,
    CALL_NEXT,
    CALL_FREE,
    CALL_QUERY,
    CALL_TRIM,
    CALL_COUNT
};
enum { CALLBACK_ANY, CALLBACK_ALLOC, CALLBACK_RELEASE, CALLBACK_TRACE };
enum {
    FAILURE_NEXT,
    FAILURE_SECOND,
    FAILURE_THIRD,
    FAILURE_FROM_NEXT,
    FAILURE_FROM_SECOND,
    FAILURE_EVERY_SECOND,
    FAILURE_NONE
};

/** The status that a meaning of NPJT_STATUS is. */
npj_status npjt_select_status(unsigned meaning);

/** The words of the header's fields, for the text form. */
npjt_operand npjt_header_operand(npjt_header_field field);
const char *npjt_header_word(npjt_header_field field);

#endif
