#include "roles/registrar/keystore_thread.hpp"

#include <portitor/evm/keystore.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <malloc.h>
#include <mutex>
#include <utility>

// Of mimalloc, which the program is linked with where there is one.
extern "C" [[gnu::weak]] void mi_collect(bool force);

namespace portitor::registrar {

namespace asio = boost::asio;

namespace {

/// What a freed block of 256 MiB is kept for would be another keystore, which seldom comes.
void give_memory_back()
{
    if (mi_collect != nullptr)
        mi_collect(true);
    malloc_trim(0);
}

}  // namespace

asio::awaitable<made_signer> in_own_thread(std::function<made_signer()> work)
{
    // Joined at the end, so that nothing refers to what the caller has let go.
    asio::thread_pool thread(1);
    auto job = [&]() -> asio::awaitable<made_signer> { co_return work(); };
    co_return co_await asio::co_spawn(thread, job, asio::use_awaitable);
}

made_signer decrypt(std::string_view keystore, std::string_view password, std::string_view where)
{
    static std::mutex one_at_a_time;
    const std::lock_guard lock(one_at_a_time);
    auto key = evm::open_keystore(keystore, password);
    give_memory_back();
    if (!key)
        return key.error().within(where);
    return evm::make_local_signer(std::move(*key));
}

}  // namespace portitor::registrar
