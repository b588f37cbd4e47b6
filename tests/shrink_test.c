/* SPDX-License-Identifier: MIT */
/* A tape that breaks a law is made small: the same law, and nothing in it that could be left out. */
#include "npjob-testkit/shrink.h"
#include "npjob-testkit/srv_nt4.h"
#include "tape_support.h"

static const char text[] = "tape 1 max_jobs=2 drain_timeout=1\n"
                           "open client=1 provider=1\nquery\nwrite length=64 how=lend\nnext\ncomplete\nnext\n"
                           "open client=2 provider=2\nwrite length=512\nnext\ncancel\nnext\ncomplete\nnext\n"
                           "advance to=+1\nwrites length=64 count=4\nhost\nclose\nhost\nclient_gone client=1\n"
                           "shutdown how=abort\nhost\n";

static int law_of(const npjt_subject *subject, const uint8_t *tape, size_t size)
{
    npjt_result result;
    npjt_options options = {.finding = found};
    (void)npjt_run(subject, tape, size, &options, &result);
    return result.finding;
}

Test(shrink, a_leak_is_shown_by_its_least_tape)
{
    static uint8_t tape[NPJT_TAPE_MAX], small[NPJT_TAPE_MAX], without[NPJT_TAPE_MAX];
    size_t size = tape_of(text, tape), small_size = 0;
    cr_assert_eq(law_of(&npjt_subject_srv_nt4, tape, size), NPJT_LAW_PACKETS);
    cr_assert_eq(npjt_shrink(&npjt_subject_srv_nt4, NULL, tape, size, small, &small_size), NPJT_LAW_PACKETS);
    cr_assert_lt(small_size, size);
    cr_expect_eq(law_of(&npjt_subject_srv_nt4, small, small_size), NPJT_LAW_PACKETS);
    for (size_t at = NPJT_HEADER_BYTES; at < small_size; at += NPJT_RECORD_BYTES) {
        memcpy(without, small, at);
        memcpy(without + at, small + at + NPJT_RECORD_BYTES, small_size - at - NPJT_RECORD_BYTES);
        cr_expect_neq(law_of(&npjt_subject_srv_nt4, without, small_size - NPJT_RECORD_BYTES), NPJT_LAW_PACKETS);
    }
}

/* What it needs is a write; of which job, of what and how long, it does not. */
Test(shrink, what_remains_has_no_operand_in_vain)
{
    static const char longer[] = "tape 1\nopen client=2 provider=3\nwrite length=512 how=lend\nnext\ncomplete\nnext\n";
    static uint8_t tape[NPJT_TAPE_MAX];
    npjt_reader reader;
    npjt_header header;
    npjt_record record;
    size_t size = tape_of(longer, tape);
    cr_assert_eq(npjt_shrink(&npjt_subject_srv_nt4, NULL, tape, size, tape, &size), NPJT_LAW_PACKETS);
    npjt_tape_begin(&reader, tape, size, &header);
    while (npjt_tape_next(&reader, &record))
        for (unsigned i = 0; i < NPJT_OPERANDS; i++)
            cr_expect_eq(record.operand[i], 0, "operand %u of record %u", i, (unsigned)reader.records);
    cr_expect_gt(reader.records, 0);
}

static bool next_stops_short(void *srv, npj_action *out)
{
    bool more = npjt_subject_srv_nt4.next(srv, out);
    if (more && out->kind == NPJ_REPLY && out->request == NPJ_REQUEST_WRITE && out->count > 0)
        out->count--;
    return more;
}

Test(shrink, a_law_that_is_off_is_not_what_it_goes_by)
{
    static uint8_t tape[NPJT_TAPE_MAX], small[NPJT_TAPE_MAX];
    npjt_subject faulty = npjt_subject_srv_nt4; /* its leak is known */
    const npjt_options options = {.laws_off = UINT32_C(1) << NPJT_LAW_PACKETS};
    size_t size = tape_of(text, tape), small_size = 0;
    faulty.next = next_stops_short;
    cr_expect_eq(npjt_shrink(&faulty, &options, tape, size, small, &small_size), NPJT_LAW_COUNTS);
}

Test(shrink, a_law_that_is_off_is_not_broken)
{
    static uint8_t tape[NPJT_TAPE_MAX];
    const npjt_options options = {.laws_off = UINT32_C(1) << NPJT_LAW_PACKETS};
    size_t size = tape_of(text, tape);
    cr_expect_eq(npjt_shrink(&npjt_subject_srv_nt4, &options, tape, size, tape, &size), -1);
}

/* With two jobs and a write it breaks law 2, with one job and a write law 10. */
static void stats_of_two_kinds(const void *srv, npj_stats *out)
{
    npjt_subject_npjob.stats(srv, out);
    if (out->packets.total > 0 && out->jobs.total > 1)
        out->reserved_packets.live++;
    else if (out->packets.total > 0)
        out->jobs.live++;
}

Test(shrink, it_goes_by_the_law_that_was_broken_first)
{
    static const char two_jobs[] = "tape 1\nopen\nopen\nwrite length=16\nhost\n";
    static uint8_t tape[NPJT_TAPE_MAX];
    npjt_subject faulty = npjt_subject_npjob;
    size_t size = 0;
    faulty.stats = stats_of_two_kinds;
    cr_assert(npjt_tape_parse(two_jobs, sizeof two_jobs - 1, tape, sizeof tape, &size, NULL));
    cr_assert_eq(npjt_shrink(&faulty, NULL, tape, size, tape, &size), NPJT_LAW_PACKETS);
    cr_expect_eq(law_of(&faulty, tape, size), NPJT_LAW_PACKETS);
    cr_expect_eq(size, NPJT_HEADER_BYTES + 3 * NPJT_RECORD_BYTES);
}

/* Wrong with a write in the only job that there was. */
static void stats_of_the_first_job(const void *srv, npj_stats *out)
{
    npjt_subject_npjob.stats(srv, out);
    if (out->packets.total > 0 && out->jobs.total == 1)
        out->reserved_packets.live++;
}

/* Without its failure the first job would be one, without the first job the second would fail. */
Test(shrink, a_failed_allocation_goes_with_what_it_fails)
{
    static const char failed_job[] = "tape 1\noom fail=next\nadd\nopen\nquery\nquery\nwrite length=16\n";
    static uint8_t tape[NPJT_TAPE_MAX];
    npjt_subject faulty = npjt_subject_npjob;
    size_t size = tape_of(failed_job, tape);
    faulty.stats = stats_of_the_first_job;
    cr_assert_eq(npjt_shrink(&faulty, NULL, tape, size, tape, &size), NPJT_LAW_PACKETS);
    cr_expect_eq(size, NPJT_HEADER_BYTES + 2 * NPJT_RECORD_BYTES);
}

static npj_status write_hides_failure(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                      unsigned flags, npj_req *out)
{
    npj_status status = npjt_subject_npjob.write(srv, job, tag, bytes, length, flags, out);
    return status == NPJ_STATUS_INSUFFICIENT_RESOURCES ? NPJ_STATUS_INSUFF_SERVER_RESOURCES : status;
}

Test(shrink, a_fault_from_outside_stays)
{
    static uint8_t tape[NPJT_TAPE_MAX], small[NPJT_TAPE_MAX];
    npjt_subject faulty = npjt_subject_npjob;
    const npjt_options options = {.fault_override = true, .fault = NPJT_FAULT_FROM, .fault_at = 3};
    size_t size = tape_of(text, tape), small_size = 0;
    faulty.write = write_hides_failure;
    cr_expect_eq(npjt_shrink(&faulty, NULL, tape, size, small, &small_size), -1);
    cr_expect_eq(npjt_shrink(&faulty, &options, tape, size, small, &small_size), NPJT_LAW_ALL_OR_NOTHING);
}

/* Shrinks a tape with a header that has allocations fail, and gives the header of what comes of it. */
static npjt_header shrink_with_fault(const npjt_subject *subject, uint8_t fault, uint16_t fault_at, int law)
{
    static uint8_t tape[NPJT_TAPE_MAX];
    npjt_reader reader;
    npjt_header header;
    size_t size = tape_of(text, tape);
    npjt_tape_begin(&reader, tape, size, &header);
    header.field[NPJT_HEADER_FAULT] = fault;
    header.fault_at = fault_at;
    npjt_tape_put_header(tape, &header);
    cr_assert_eq(npjt_shrink(subject, NULL, tape, size, tape, &size), law);
    npjt_tape_begin(&reader, tape, size, &header);
    return header;
}

Test(shrink, no_allocation_fails_in_vain)
{
    npjt_header header = shrink_with_fault(&npjt_subject_srv_nt4, 1, 200, NPJT_LAW_PACKETS);
    cr_expect_eq(header.field[NPJT_HEADER_FAULT], 0);
    cr_expect_eq(header.fault_at, 0);
    header = shrink_with_fault(&npjt_subject_srv_nt4, 0, 200, NPJT_LAW_PACKETS);
    cr_expect_eq(header.fault_at, 0, "with fault=none it says nothing");
}

Test(shrink, an_allocation_that_has_to_fail_still_does)
{
    npjt_subject faulty = npjt_subject_npjob;
    faulty.write = write_hides_failure;
    npjt_header header = shrink_with_fault(&faulty, 1, 3, NPJT_LAW_ALL_OR_NOTHING);
    cr_expect_eq(header.field[NPJT_HEADER_FAULT], 1);
    cr_expect_eq(header.fault_at, 3, "the first write's");
}

Test(shrink, in_place)
{
    static uint8_t tape[NPJT_TAPE_MAX], small[NPJT_TAPE_MAX];
    size_t size = tape_of(text, tape), small_size = 0;
    cr_assert_eq(npjt_shrink(&npjt_subject_srv_nt4, NULL, tape, size, small, &small_size), NPJT_LAW_PACKETS);
    cr_assert_eq(npjt_shrink(&npjt_subject_srv_nt4, NULL, tape, size, tape, &size), NPJT_LAW_PACKETS);
    cr_expect_eq(size, small_size);
    cr_expect_arr_eq(tape, small, size);
}

Test(shrink, a_sound_tape_is_left_alone)
{
    static uint8_t tape[NPJT_TAPE_MAX];
    uint8_t out[NPJT_HEADER_BYTES] = {7};
    size_t size = tape_of(text, tape), out_size = 3;
    cr_assert_eq(npjt_shrink(&npjt_subject_npjob, NULL, tape, size, out, &out_size), -1);
    cr_expect_eq(out[0], 7);
    cr_expect_eq(out_size, 3);
}

static void stats_without_peak(const void *srv, npj_stats *out)
{
    npjt_subject_npjob.stats(srv, out);
    out->packets.peak = 0;
}

Test(shrink, a_difference_is_shown_by_its_least_tape)
{
    static uint8_t tape[NPJT_TAPE_MAX], small[NPJT_TAPE_MAX];
    npjt_subject forgetful = npjt_subject_npjob;
    const npjt_options beside = {.model = true};
    size_t size = tape_of(text, tape), small_size = 0;
    forgetful.stats = stats_without_peak;
    cr_assert_eq(npjt_shrink(&forgetful, NULL, tape, size, small, &small_size), -1);
    cr_assert_eq(npjt_shrink(&npjt_subject_npjob, &beside, tape, size, small, &small_size), -1);
    cr_assert_eq(npjt_shrink(&forgetful, &beside, tape, size, small, &small_size), NPJT_LAW_MODEL);
    cr_expect_eq(small_size, NPJT_HEADER_BYTES + 2 * NPJT_RECORD_BYTES); /* open, and a write */
}
