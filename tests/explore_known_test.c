/* SPDX-License-Identifier: MIT */
/* What the search keeps: which states are known, what may still be spent from them, and the worlds that wait. */
#include <criterion/criterion.h>
#include <string.h>

#include "explore_state.h"

/* --------------------------------------------------------------------------------------------------------- purses */

Test(purse, is_spent_by_kind_and_together)
{
    const npjt_scope scope = {.budget = {[NPJT_BUDGET_CANCEL] = 1, [NPJT_BUDGET_EXPIRE] = NPJT_ANY}, .faults = 2};
    uint64_t purse = npjt_explore_purse(&scope);
    cr_expect(npjt_explore_affords(purse, NPJT_BUDGET_CANCEL));
    cr_expect_not(npjt_explore_affords(purse, NPJT_BUDGET_ABORT), "there is no budget for it");
    cr_expect_eq(npjt_explore_pay(purse, NPJT_BUDGETS), purse, "what is free costs nothing");

    purse = npjt_explore_pay(purse, NPJT_BUDGET_CANCEL);
    cr_expect_not(npjt_explore_affords(purse, NPJT_BUDGET_CANCEL));
    cr_expect(npjt_explore_affords(purse, NPJT_BUDGET_EXPIRE));
    purse = npjt_explore_pay(purse, NPJT_BUDGET_EXPIRE);
    cr_expect_not(npjt_explore_affords(purse, NPJT_BUDGET_EXPIRE), "all together is spent");
    cr_expect(npjt_explore_affords(purse, NPJT_BUDGETS));
}

Test(purse, without_limit_is_never_spent)
{
    npjt_scope scope = {.faults = NPJT_ANY};
    memset(scope.budget, NPJT_ANY, sizeof scope.budget);
    uint64_t purse = npjt_explore_purse(&scope);
    for (unsigned i = 0; i < 300; i++)
        cr_expect_eq(npjt_explore_pay(purse, (npjt_budget)(i % NPJT_BUDGETS)), purse);
}

Test(purse, that_can_spend_nothing_is_one_whatever_was_bought)
{
    npjt_scope scope = {.faults = 1};
    memset(scope.budget, 1, sizeof scope.budget);
    uint64_t purse = npjt_explore_purse(&scope), spent = npjt_explore_pay(purse, NPJT_BUDGET_CANCEL);
    for (unsigned budget = 0; budget < NPJT_BUDGETS; budget++)
        cr_expect_eq(npjt_explore_pay(purse, (npjt_budget)budget), spent);
}

/* ---------------------------------------------------------------------------------------------------------- known */

Test(known, is_what_came_before_with_as_much_left)
{
    npjt_scope scope = {.faults = 3};
    memset(scope.budget, 2, sizeof scope.budget);
    struct known known = {0};
    uint64_t full = npjt_explore_purse(&scope);
    uint64_t cancelled = npjt_explore_pay(full, NPJT_BUDGET_CANCEL),
             aborted = npjt_explore_pay(full, NPJT_BUDGET_ABORT);
    uint64_t both = npjt_explore_pay(cancelled, NPJT_BUDGET_ABORT);
    cr_expect(npjt_explore_learn(&known, 7, cancelled));
    cr_expect_not(npjt_explore_learn(&known, 7, cancelled));
    cr_expect_not(npjt_explore_learn(&known, 7, both), "less is left than before");
    cr_expect(npjt_explore_learn(&known, 7, aborted), "more cancels are left, if fewer aborts");
    cr_expect(npjt_explore_learn(&known, 7, full));
    cr_expect_not(npjt_explore_learn(&known, 7, aborted));
    cr_expect(npjt_explore_learn(&known, 8, both), "another state");
    cr_expect_eq(known.count, 4);
    npjt_explore_known_free(&known);
}

Test(known, stays_known_while_the_table_grows)
{
    enum { KEYS = 100000 };
    struct known known = {0};
    for (uint64_t i = 0; i < KEYS; i++)
        cr_assert(npjt_explore_learn(&known, i * UINT64_C(0x9E3779B97F4A7C15), 0), "0 is a key as well as others");
    for (uint64_t i = 0; i < KEYS; i++)
        cr_assert_not(npjt_explore_learn(&known, i * UINT64_C(0x9E3779B97F4A7C15), 0));
    cr_expect_eq(known.count, KEYS);
    npjt_explore_known_free(&known);
}

/* ---------------------------------------------------------------------------------------------------------- queue */

enum { WORLD = 67 * EXPLORE_PIECE, WORLDS = 5000 /* more than one chunk of them */ };

/* A world of which more or less is not plain; the first and the last of all bytes now and then. */
static void make_world(unsigned char world[WORLD], unsigned number)
{
    memset(world, 0x11, WORLD);
    for (unsigned at = number % 97; at < WORLD; at += 1 + number % 301)
        world[at] = (unsigned char)(number + at);
    world[WORLD - 1] = (unsigned char)number;
}

static void take_world(struct queue *queue, unsigned number)
{
    static unsigned char world[WORLD], expected[WORLD];
    make_world(expected, number);
    cr_assert(npjt_explore_queue_take(queue, world));
    cr_assert_arr_eq(world, expected, WORLD, "world %u", number);
}

Test(queue, gives_back_each_world_in_its_turn)
{
    static unsigned char world[WORLD];
    struct queue queue;
    memset(world, 0x11, WORLD);
    cr_assert(npjt_explore_queue_new(&queue, world, WORLD));
    cr_expect_not(npjt_explore_queue_take(&queue, world));
    unsigned taken = 0;
    for (unsigned i = 0; i < WORLDS; i++) {
        make_world(world, i);
        cr_assert(npjt_explore_queue_put(&queue, world));
        if (i % 3 == 0)
            take_world(&queue, taken++);
    }
    while (taken < WORLDS)
        take_world(&queue, taken++);
    cr_expect_not(npjt_explore_queue_take(&queue, world));
    npjt_explore_queue_free(&queue);
}
