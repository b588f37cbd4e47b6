/* SPDX-License-Identifier: MIT */
/* What Samba's smbd keeps of a pending write: a request with its state and its bytes in talloc's tree. */
#include <talloc.h>
#include <tevent.h>

#include "cycle.h"

struct tevent_cycle {
    uint32_t length;
    uint32_t pending;
    unsigned char *bytes;
    struct tevent_req **requests;
    uint64_t wanted;
    uint64_t answered;
};

struct tevent_cycle_write_state {
    void *bytes;
    uint32_t length;
};

static void *begin(const void *what)
{
    const cycle_work *work = what;
    struct tevent_cycle *self = talloc_zero(NULL, struct tevent_cycle);
    bench_must(self != NULL, "no memory");
    self->length = work->length;
    self->pending = work->pending;
    self->bytes = talloc_zero_array(self, unsigned char, work->length);
    self->requests = talloc_zero_array(self, struct tevent_req *, work->pending);
    bench_must(self->bytes != NULL && self->requests != NULL, "no memory");
    return self;
}

static void answered(struct tevent_req *request)
{
    struct tevent_cycle *self = tevent_req_callback_data(request, struct tevent_cycle);
    enum tevent_req_state state;
    uint64_t error;
    if (!tevent_req_is_error(request, &state, &error))
        self->answered++;
    talloc_free(request);
}

static struct tevent_req *accept_write(struct tevent_cycle *self)
{
    struct tevent_cycle_write_state *state;
    struct tevent_req *request = tevent_req_create(self, &state, struct tevent_cycle_write_state);
    bench_must(request != NULL, "no memory");
    state->bytes = talloc_memdup(state, self->bytes, self->length);
    bench_must(state->bytes != NULL, "no memory");
    state->length = self->length;
    tevent_req_set_callback(request, answered, self);
    return request;
}

static void run(void *data, uint64_t rounds)
{
    struct tevent_cycle *self = data;
    self->wanted += rounds * self->pending;
    for (; rounds > 0; rounds--) {
        for (uint32_t i = 0; i < self->pending; i++)
            self->requests[i] = accept_write(self);
        for (uint32_t i = 0; i < self->pending; i++)
            tevent_req_done(self->requests[i]);
    }
}

static void end(void *data)
{
    struct tevent_cycle *self = data;
    bench_must(self->answered == self->wanted, "not every write was answered");
    talloc_free(self);
}

const bench_side cycle_tevent = {"tevent", begin, run, end};
