/* SPDX-License-Identifier: MIT */
/* A host outside the tree, in C++17: one job into a pipe made of memory, by the loop that the README shows. */
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "npjob/npjob.h"

namespace
{

struct host {
    npj_srv *srv = nullptr;
    npj_job job = 0;
    std::uint64_t step = 0;
    bool idle = false;
    npj_status closed = NPJ_STATUS_PENDING;
    std::string pipe;
};

void must(bool condition, const char *what)
{
    if (!condition)
        throw std::runtime_error(what);
}

void expect(npj_status status, npj_status expected)
{
    must(status == expected, npj_status_name(status));
}

bool sleep_until(host *host, std::uint64_t deadline)
{
    must(host->step < 100, "the job does not end");
    must(deadline > 0, "a deadline of 0");
    return !host->idle;
}

std::uint64_t time_now(host *host)
{
    return host->step;
}

/* What a client does, one request a turn. */
void deliver_events(host *host)
{
    static constexpr std::string_view text = "a job, as a client sends it\n";
    const auto write = [host](std::uint64_t tag, std::string_view bytes, unsigned flags) {
        return npj_write(host->srv, host->job, tag, bytes.data(), static_cast<std::uint32_t>(bytes.size()), flags,
                         nullptr);
    };
    switch (host->step++) {
    case 0:
        expect(npj_add_job(host->srv, 1, 1, 7, 100, &host->job), NPJ_STATUS_PENDING);
        break;
    case 1:
        expect(npj_connect(host->srv, host->job, 101), NPJ_STATUS_PENDING);
        break;
    case 2:
        expect(write(102, text.substr(0, 6), NPJ_COPY), NPJ_STATUS_PENDING);
        expect(write(103, text.substr(6), NPJ_LEND), NPJ_STATUS_PENDING);
        break;
    case 3:
        expect(npj_close(host->srv, host->job, 104), NPJ_STATUS_PENDING);
        break;
    case 4:
        expect(npj_shutdown(host->srv, NPJ_DRAIN), NPJ_STATUS_SUCCESS);
        break;
    }
}

void ask_provider(host *host, const npj_action *todo)
{
    static constexpr std::u16string_view name = u"\\\\.\\pipe\\printer";
    const npj_path path{name.data(), name.size() * sizeof(name[0]), NPJ_PATH_UTF16LE};
    expect(npj_job_added(host->srv, todo->op, NPJ_STATUS_SUCCESS, &path, 42), NPJ_STATUS_SUCCESS);
}

void open_pipe(host *host, const npj_action *todo)
{
    expect(npj_opened(host->srv, todo->op, NPJ_STATUS_SUCCESS, NPJ_BYTE_MODE), NPJ_STATUS_SUCCESS);
}

void write_pipe(host *host, const npj_action *todo)
{
    for (std::uint32_t i = 0; i < todo->iov_count; i++)
        host->pipe.append(static_cast<const char *>(todo->iov[i].base), todo->iov[i].length);
    expect(npj_written(host->srv, todo->op, NPJ_STATUS_SUCCESS, todo->count), NPJ_STATUS_SUCCESS);
}

void close_pipe(host *host, const npj_action *todo)
{
    expect(npj_done(host->srv, todo->op, NPJ_STATUS_SUCCESS), NPJ_STATUS_SUCCESS);
}

void schedule_job(host *host, const npj_action *todo)
{
    must(todo->job_id == 42, "another job is scheduled");
    expect(npj_done(host->srv, todo->op, NPJ_STATUS_SUCCESS), NPJ_STATUS_SUCCESS);
}

void abandon_job(host *, const npj_action *)
{
    throw std::runtime_error("a whole job is abandoned");
}

void stop_operation(host *, npj_op)
{
    throw std::runtime_error("a CANCEL that nobody asked for");
}

void answer_client(host *host, const npj_action *todo)
{
    expect(todo->status, NPJ_STATUS_SUCCESS);
    if (todo->request == NPJ_REQUEST_CLOSE)
        host->closed = todo->status;
}

void take_back_bytes(host *, std::uint64_t)
{
    throw std::runtime_error("a RETURN without a REPLY that held");
}

void read_from_client(host *, std::uint64_t)
{
    throw std::runtime_error("a RESUME that is not owed");
}

void stop_serving(host *host)
{
    host->idle = true;
}

/* The README's loop, as it stands there. */
#include "loop.c"

struct free_engine {
    void operator()(npj_srv *srv) const
    {
        npj_srv_free(&srv);
    }
};

void run()
{
    std::size_t live = 0;
    npj_config config{};
    config.size = sizeof(config);
    config.mem.user = &live;
    config.mem.alloc = [](void *user, std::size_t bytes) {
        *static_cast<std::size_t *>(user) += bytes;
        return std::malloc(bytes);
    };
    config.mem.release = [](void *user, void *block, std::size_t bytes) {
        *static_cast<std::size_t *>(user) -= bytes;
        std::free(block);
    };

    host host;
    expect(npj_srv_new(&config, &host.srv), NPJ_STATUS_SUCCESS);
    std::unique_ptr<npj_srv, free_engine> owner(host.srv);
    serve(&host);
    npj_stats stats;
    npj_stats_get(host.srv, &stats);
    owner.reset();
    std::printf("%s", host.pipe.c_str());
    std::printf("closed=%s packets=%" PRIu64 " live=%" PRIu64 " bytes=%" PRIu64 " replies=%" PRIu64 " memory=%zu\n",
                npj_status_name(host.closed), stats.packets.total, stats.packets.live, stats.bytes_taken, stats.replies,
                live);
}

} // namespace

int main()
{
    try {
        run();
    } catch (const std::exception &error) {
        std::fprintf(stderr, "consumer: %s\n", error.what());
        return 1;
    }
}
