#include "roles/registrar/keystore_thread.hpp"

#include <portitor/evm/keystore.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <mutex>
#include <sys/resource.h>
#include <utility>

namespace portitor::registrar {

namespace asio = boost::asio;

namespace {

asio::awaitable<made_signer> call(std::function<made_signer()> work)
{
    co_return work();
}

}  // namespace

asio::awaitable<made_signer> in_own_thread(std::function<made_signer()> work)
{
    // Joined at the end, so that nothing refers to what the caller has let go.
    asio::thread_pool thread(1);
    co_return co_await asio::co_spawn(thread, call(std::move(work)), asio::use_awaitable);
}

made_signer decrypt(std::string_view keystore, std::string_view password, std::string_view where)
{
    // A process that has held a key leaves no picture of its memory: of one byte neither a file nor a program
    // that collects them is given anything (core(5)).
    const rlimit none{1, 1};
    setrlimit(RLIMIT_CORE, &none);
    // Two at once would be more than the process may take. Such blocks are mapped alone, and go back as soon
    // as they are freed, by glibc's malloc as by mimalloc.
    static std::mutex one_at_a_time;
    const std::lock_guard lock(one_at_a_time);
    auto key = evm::open_keystore(keystore, password);
    if (!key)
        return key.error().within(where);
    return evm::make_local_signer(std::move(*key));
}

}  // namespace portitor::registrar
