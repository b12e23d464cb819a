#include "roles/registrar/keystore_thread.hpp"

#include <portitor/evm/keystore.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <mutex>
#include <utility>

namespace portitor::registrar {

namespace asio = boost::asio;

asio::awaitable<made_signer> in_own_thread(std::function<made_signer()> work)
{
    // Joined at the end, so that nothing refers to what the caller has let go.
    asio::thread_pool thread(1);
    auto job = [&]() -> asio::awaitable<made_signer> { co_return work(); };
    co_return co_await asio::co_spawn(thread, job, asio::use_awaitable);
}

made_signer decrypt(std::string_view keystore, std::string_view password, std::string_view where)
{
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
