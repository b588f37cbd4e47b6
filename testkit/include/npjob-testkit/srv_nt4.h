/* SPDX-License-Identifier: MIT */
/**
 * @file
 * srv_nt4: a print server with the fault of Microsoft KB Q226513, to show that the harness sees it.
 *
 * When a print provider answers AddJob with the path of a named pipe, the Server Service of Windows NT 4.0 (srv.sys)
 * opens that pipe for the client and turns every write into an I/O request packet (IRP). It did not clean those packets
 * up, not even when the job was complete. Nonpaged pool was lost in proportion to the job, more with `print` than with
 * `copy` (why, the article does not say; here the writes of `print` are shorter), and was not reclaimed when the
 * provider was restarted. In the end came Event 2019, "the server was unable to allocate from the system nonpaged pool
 * because the pool was empty", and a server that had to be rebooted.
 *
 * srv_nt4 serves jobs from AddJob to ScheduleJob: pipelining, cancels, failures, deadlines, back-pressure and shutdown
 * are all there, in the words of npjob.h. But a packet stays allocated until the server is freed. What is wrong with it
 * can be seen in no answer that a client gets; only in what it holds.
 *
 * It differs from npjob in three more things: one WRITE carries one packet, as one IRP did; nothing is kept for reuse;
 * and the pool that is lost counts against max_packets and max_pool_bytes, so that Event 2019 (NPJ_TRACE_NO_POOL,
 * INSUFF_SERVER_RESOURCES) comes as it did then, to jobs that had no part in the loss. The law of packets (2) is the
 * first that it breaks; with that one switched off, the law of isolation (11) is broken when the pool is empty, and no
 * other.
 */
#ifndef NPJOB_TESTKIT_SRV_NT4_H
#define NPJOB_TESTKIT_SRV_NT4_H

#include "npjob-testkit/subject.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The server, named "srv_nt4". All memory comes from npj_config.mem: a block for the server, one for each job until it
 * has ended, and one for each accepted write (a header, and what was copied), until srv_free(). */
extern const npjt_subject npjt_subject_srv_nt4;

#ifdef __cplusplus
}
#endif

#endif
