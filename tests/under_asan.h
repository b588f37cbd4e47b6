/* SPDX-License-Identifier: MIT */
/* Whether AddressSanitizer looks on. It ends the program where a block is written to that has been released. */
#ifndef NPJOB_TESTS_UNDER_ASAN_H
#define NPJOB_TESTS_UNDER_ASAN_H

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif

#endif
