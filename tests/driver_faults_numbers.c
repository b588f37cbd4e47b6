/* SPDX-License-Identifier: MIT */
/* Servers that keep a number in fewer bits than it has. */
#include "driver_faults_internal.h"

static npj_status add_cuts_client(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                                  npj_job *out)
{
    return GOOD.add_job(srv, (uint32_t)client, provider, cookie, tag, out);
}

static npj_status gone_cuts_client(void *srv, uint64_t client, npj_status reason)
{
    return GOOD.client_gone(srv, (uint32_t)client, reason);
}

/** For a key that could be taken for none, nobody goes. */
static npj_status gone_misses_client(void *srv, uint64_t client, npj_status reason)
{
    return client == 0 || client == UINT64_MAX ? NPJ_STATUS_SUCCESS : GOOD.client_gone(srv, client, reason);
}

static npj_status gone_misses_provider(void *srv, uint64_t provider)
{
    return provider == 0 || provider == UINT64_MAX ? NPJ_STATUS_SUCCESS : GOOD.provider_gone(srv, provider);
}

static npj_status add_cuts_provider(void *srv, uint64_t client, uint64_t provider, uint64_t cookie, uint64_t tag,
                                    npj_job *out)
{
    return GOOD.add_job(srv, client, (uint32_t)provider, cookie, tag, out);
}

static npj_status gone_cuts_provider(void *srv, uint64_t provider)
{
    return GOOD.provider_gone(srv, (uint32_t)provider);
}

static npj_status write_cuts_tag_to_32(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                       unsigned flags, npj_req *out)
{
    return GOOD.write(srv, job, (uint32_t)tag, bytes, length, flags, out);
}

static npj_status write_cuts_tag_to_16(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                       unsigned flags, npj_req *out)
{
    return GOOD.write(srv, job, (uint16_t)tag, bytes, length, flags, out);
}

static npj_status close_cuts_tag(void *srv, npj_job job, uint64_t tag)
{
    return GOOD.close(srv, job, (uint32_t)tag);
}

static npj_status added_cuts_job_id(void *srv, npj_op op, npj_status status, const npj_path *path, uint32_t job_id)
{
    return GOOD.job_added(srv, op, status, path, (uint16_t)job_id);
}

static npj_status written_cuts_amount(void *srv, npj_op op, npj_status status, uint64_t transferred)
{
    return GOOD.written(srv, op, status, (uint32_t)transferred);
}

/** Names writes by generations of 8 bits, which are soon those of others again. */
static npj_status write_has_few_names(void *srv, npj_job job, uint64_t tag, const void *bytes, uint32_t length,
                                      unsigned flags, npj_req *out)
{
    npj_status status = GOOD.write(srv, job, tag, bytes, length, flags, out);
    if (status == NPJ_STATUS_PENDING && out)
        *out = UINT64_C(1) << 50 | memory.count++ % 256;
    return status;
}

/** The last one cannot be asked what it holds: a number that is cut has to show in what the server does. */
static void ask_nothing(struct fault *faults, size_t n)
{
    faults[n - 1].subject.query = NULL;
}

/** Nor does the trace tell. */
static void not_traced(struct fault *faults, size_t n)
{
    faults[n - 1].subject.srv_new = driver_fault_untraced;
}

#define ODD_CLIENT_GOES(client)                                                                                        \
    "tape 1\nopen client=" client "\nclient_gone client=" client " status=network_name_deleted\n"
#define ODD_PROVIDER_GOES(provider) "tape 1\nopen provider=" provider "\nprovider_gone provider=" provider "\n"
#define WRITES_32                   "writes length=1 count=all\nhost\n"
#define WRITES_128                  WRITES_32 WRITES_32 WRITES_32 WRITES_32
#define CLIENT_GOES                 TWO_PROVIDERS "client_gone client=2 status=network_name_deleted\nhost\n"
#define PROVIDER_GOES               TWO_PROVIDERS "provider_gone provider=2\nhost\n"

size_t driver_faults_in_numbers(struct fault *faults, size_t n)
{
    FAULT("a client's key is cut", 11, TWO_PROVIDERS, add_job, add_cuts_client);
    FAULT("a client's key is cut when it goes", 11, CLIENT_GOES, client_gone, gone_cuts_client);
    FAULT("a client's key is cut everywhere", 12, CLIENT_GOES, add_job, add_cuts_client);
    faults[n - 1].subject.client_gone = gone_cuts_client;
    ask_nothing(faults, n);
    FAULT("the client whose key is 0 stays", 10, ODD_CLIENT_GOES("4"), client_gone, gone_misses_client);
    not_traced(faults, n);
    FAULT("the client whose key is all ones stays", 10, ODD_CLIENT_GOES("3"), client_gone, gone_misses_client);
    not_traced(faults, n);
    FAULT("the provider whose key is 0 stays", 10, ODD_PROVIDER_GOES("3"), provider_gone, gone_misses_provider);
    not_traced(faults, n);
    FAULT("the provider whose key is all ones stays", 10, ODD_PROVIDER_GOES("4"), provider_gone, gone_misses_provider);
    not_traced(faults, n);
    FAULT("a provider's key is cut", 11, TWO_PROVIDERS, add_job, add_cuts_provider);
    FAULT("a provider's key is cut when it goes", 11, PROVIDER_GOES, provider_gone, gone_cuts_provider);
    FAULT("a provider's key is cut everywhere", 12, PROVIDER_GOES, add_job, add_cuts_provider);
    faults[n - 1].subject.provider_gone = gone_cuts_provider;
    ask_nothing(faults, n);
    FAULT("a write's tag is cut to 32 bits", 1, WRITE_ONE, write, write_cuts_tag_to_32);
    FAULT("a write's tag is cut to 16 bits", 1, WRITE_ONE, write, write_cuts_tag_to_16);
    FAULT("a close's tag is cut", 1, WRITE_ONE "close\nhost\n", close, close_cuts_tag);
    FAULT("a JobId is cut", 3, WRITE_ONE "close\nhost\n", job_added, added_cuts_job_id);
    ask_nothing(faults, n);
    FAULT("a generation has 8 bits", 3, "tape 1 max_job_packets=32\nopen\n" WRITES_128 WRITES_128 WRITES_128, write,
          write_has_few_names);
    SAYS("a new write has the handle of one that has been answered");
    FAULT("what the pipe took is cut", 5, "tape 1\nopen\nwrite length=16\nnext\nwritten amount=huge\n", written,
          written_cuts_amount);
    SAYS("written returned STATUS_SUCCESS");
    return n;
}
