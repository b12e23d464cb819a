#include "roles/registrar/signers.hpp"

namespace portitor::registrar {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::minutes key_lasts(10);
constexpr std::chrono::seconds try_again_after(30);
constexpr std::size_t most_entries = 256;

}  // namespace

signers::signers(http::client& client, kube::api& server, key_options operators, const timekeeper& time)
    : client_(client), server_(server), operators_(std::move(operators)), time_(time)
{}

bool signers::is_fresh(const name& which, const entry& known) const
{
    const auto age = time_.now() - known.tried_at;
    // The operator's is read once: another key is another account, and comes with another start.
    if (known.made)
        return which == name() || age < key_lasts;
    return known.failure && age < try_again_after;
}

asio::awaitable<result<signers::signer_ptr>> signers::make(name which)
{
    auto& [ns, secret, key] = which;
    const bool is_operators = secret.empty();
    auto made = is_operators ? co_await make_operator_signer(client_, operators_)
                             : co_await make_request_signer(server_, {ns, secret}, key);
    if (!made)
        co_return made.error();
    co_return signer_ptr(std::move(*made));
}

asio::awaitable<result<signers::signer_ptr>> signers::take(name which)
{
    // Requests name Secrets that are allowed, and any key in them.
    if (entries_.size() >= most_entries && !entries_.contains(which))
        co_return fail(errc::refused, "too many keys are in use");
    entry& known = entries_[which];
    if (!is_fresh(which, known))
    {
        if (known.in_work)
            co_return fail(errc::conflict, "the key is being read");
        known.in_work = true;
        const auto done = [](entry* of) { of->in_work = false; };
        const std::unique_ptr<entry, decltype(done)> working(&known, done);
        auto made = co_await make(which);
        known.tried_at = time_.now();
        known.failure = made ? std::nullopt : std::optional(made.error());
        known.made = made ? std::move(*made) : nullptr;
    }
    if (!known.made)
        co_return *known.failure;
    co_return known.made;
}

}  // namespace portitor::registrar
