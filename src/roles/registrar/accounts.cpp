#include "roles/registrar/account.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace portitor::registrar {

namespace asio = boost::asio;

accounts::accounts(const kube::environment& around, lease_template leases, stop_signal& stop, on_lead tell)
    : around_(around), leases_(std::move(leases)), stop_(stop), tell_(std::move(tell)),
      tasks_(around.executor, around.log, [this](const auto&, const auto&) { stop_.request(1); })
{}

account* accounts::of(const account::identity& who)
{
    if (const auto found = all_.find(who); found != all_.end())
        return found->second.get();
    if (all_.size() >= most_accounts)
        return nullptr;
    // Its constructor is not for everybody, so std::make_unique cannot.
    std::unique_ptr<account> made(new account(around_, who, leases_(who.lease_name())));
    account& added = *all_.emplace(who, std::move(made)).first->second;
    added.ready_ = !added.elector_;
    tasks_.spawn("account " + who.lease_name(), lead(added));
    return &added;
}

asio::awaitable<void> accounts::lead(account& which)
{
    // Whoever asked for it has it before on_lead is called.
    co_await asio::post(asio::use_awaitable);
    if (!which.elector_)
    {
        if (!std::exchange(told_of_memory_, true))
            around_.log.warn(
                "no leader election: what accounts spend in a day is not written down, so a restart begins "
                "from nothing, and no other registrar may use them"
            );
        tell_(which);
        co_return;
    }
    co_await which.elector_->acquire();
    if (stop_.requested())
        co_return;
    tasks_.spawn("ledger " + which.who().lease_name(), begin(which));
    const error why = co_await which.elector_->hold();
    which.lost_ = true;
    around_.log.error(
        "no longer the one who sends for this account, ending at once",
        {{"account", which.who().address.to_checksum()},
         {"chain", which.who().chain_id},
         {"err", why.message()}}
    );
    stop_.request(1);
}

asio::awaitable<void> accounts::begin(account& which)
{
    co_await which.read_ledger();
    if (which.leads() && !stop_.requested())
        tell_(which);
}

asio::awaitable<void> accounts::release()
{
    // What still renews would take a Lease back.
    tasks_.cancel();
    co_await tasks_.join();
    for (const auto& [who, each] : all_)
    {
        each->ready_ = false;
        if (each->elector_ && !each->lost_)
            tasks_.spawn("release " + who.lease_name(), each->elector_->release());
    }
    co_await tasks_.join();
}

}  // namespace portitor::registrar
