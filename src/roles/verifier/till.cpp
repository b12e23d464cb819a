#include "roles/verifier/till.hpp"

#include <portitor/x402/match.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <span>

namespace portitor::verifier {

namespace asio = boost::asio;

namespace {

// Traefik gives up at 30 s with an empty 500.
constexpr std::chrono::seconds total_budget(20);

/// Today's key first: what is new goes on record under that.
std::vector<x402::payment_key> keys_for(
    const x402::payment& offered, const x402::payment_requirement& wanted, const x402::network_table& networks
)
{
    std::vector<x402::payment_key> out = x402::keys_of(offered, networks);
    const x402::payment_key today = x402::key_of(offered, wanted);
    const auto known = std::find(out.begin(), out.end(), today);
    if (known != out.end())
        std::rotate(out.begin(), known, known + 1);
    else
        out.insert(out.begin(), today);
    return out;
}

// All but the keys.
x402::payment_request request_for(sale& what, x402::payment_requirement wanted)
{
    const route::served_route& route = *what.entry->route;
    x402::payment_request out;
    out.offered = std::move(what.offered);
    out.wanted = std::move(wanted);
    out.facilitator_url = route.facilitator_url();
    out.offer = route.key();
    out.offer_uid = route.offer_uid();
    out.method = std::move(what.method);
    out.uri = std::move(what.uri);
    out.request_id = std::move(what.request_id);
    return out;
}

sale_outcome refused(const x402::refusal& why)
{
    return {x402::verdict_payment_required(why.code), route::outcome::bad_signature};
}

sale_outcome ask_later(const x402::signature_decision& said)
{
    return {x402::verdict_unavailable(x402::unavailable_cause::busy, said.retry_after, said.failure)};
}

}  // namespace

asio::awaitable<sale_outcome> till::sell(sale& what) const
{
    using standing = x402::signature_standing;
    const timekeeper::time_point deadline = with_.timers.now() + total_budget;
    const route::served_route& route = *what.entry->route;
    x402::payment_requirement wanted = route.owned_requirement(*what.price, what.resource);
    const x402::signature_decision signature =
        co_await with_.signatures.judge(what.offered, wanted, std::string(route.tenant()));
    if (signature.standing == standing::refused)
        co_return refused(signature.why);
    if (signature.standing == standing::ask_later)
        co_return ask_later(signature);

    const auto matched = x402::match(what.offered, std::span(&wanted, 1));
    x402::payment_request asked = request_for(what, std::move(wanted));
    asked.deadline = deadline;
    asked.proven = signature.standing == standing::proven;
    sale_outcome out;
    if (const auto* why = std::get_if<x402::refusal>(&matched))
    {
        asked.mismatch = *why;
        out.refused_as = route::outcome::not_matched;
    }
    else if (signature.standing == standing::other_terms)
    {
        asked.mismatch = signature.why;
        out.refused_as = route::outcome::bad_signature;
    }
    // What was signed for today's token cannot be on record under another.
    if (asked.proven && !asked.mismatch)
        asked.keys.push_back(x402::key_of(asked.offered, asked.wanted));
    else
        asked.keys = keys_for(asked.offered, asked.wanted, with_.networks);
    // A wallet contract's signature does not say which token it is for. Where today's is refused, the payment
    // may be on record for another.
    std::optional<x402::payment_request> again;
    if (signature.standing == standing::unproven && !asked.mismatch && asked.keys.size() > 1)
        again = asked;
    out.said = co_await pay(std::move(asked));
    if (const auto* why = std::get_if<x402::verdict_payment_required>(&out.said); again && why != nullptr)
    {
        again->mismatch = x402::refusal{why->reason, why->message};
        out.said = co_await pay(*std::move(again));
    }
    co_return out;
}

asio::awaitable<x402::verdict> till::pay(x402::payment_request asked) const
{
    asio::awaitable<x402::verdict> judging = with_.engine.pay(std::move(asked));
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    if (here == with_.strand)
    {
        x402::verdict at_home = co_await std::move(judging);
        co_return at_home;
    }
    // A cancellation would reach the other thread unguarded.
    auto apart = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
    x402::verdict made = co_await asio::co_spawn(with_.strand, std::move(judging), apart);
    co_return made;
}

}  // namespace portitor::verifier
