#pragma once

#include "run.hpp"

#include <portitor/core/clock.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/ledger/limits.hpp>
#include <portitor/x402/payment_store.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// What the tests of all stores of payments share.
namespace portitor::ledger::test {

inline constexpr std::uint64_t start_seconds = 1'795'511'510;

struct manual_clock final : clock
{
    time_point time{std::chrono::seconds(start_seconds)};
    time_point now() const override { return time; }
    std::uint64_t seconds() const
    {
        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count()
        );
    }
};

inline std::string hex_word(std::uint64_t number)
{
    return fmt::format("0x{:064x}", number);
}

inline std::string hex_address(std::uint64_t number)
{
    return fmt::format("0x{:040x}", number);
}

inline x402::payment_key key_of(std::uint64_t number, std::uint64_t payer = 1)
{
    return {"eip155:84532", hex_address(7), hex_address(payer), hex_word(number)};
}

inline std::shared_ptr<const x402::payment_terms> terms_of(const std::string& offer = "demo/hello")
{
    auto out = std::make_shared<x402::payment_terms>();
    out->wanted.network = "eip155:84532";
    out->wanted.v1_network = "base-sepolia";
    out->wanted.amount = 10'000;
    out->wanted.asset = hex_address(7);
    out->wanted.pay_to = hex_address(9);
    out->wanted.max_timeout_seconds = 300;
    out->wanted.resource_url = "https://example.test/services/hello";
    out->wanted.description = "a \"paid\" thing";
    out->wanted.mime_type = "application/json";
    out->wanted.asset_name = "USDC";
    out->wanted.asset_version = "2";
    out->facilitator_url = "https://facilitator.test";
    out->offer = offer;
    out->offer_uid = "5f0c7d2e-0000-4000-8000-000000000001";
    out->method = "GET";
    out->uri = "/services/hello?page=2";
    out->request_id = "r-1";
    return out;
}

inline std::shared_ptr<const x402::payment> offered_of(std::uint64_t number, std::uint64_t valid_before)
{
    x402::payment out;
    out.version = 2;
    out.text = "never kept";
    out.scheme = "exact";
    out.network = "eip155:84532";
    out.kind = x402::payment_kind::eip3009;
    out.payer = *evm::address::parse(hex_address(1));
    out.pay_to = *evm::address::parse(hex_address(9));
    out.value = 10'000;
    out.valid_after = 3;
    out.valid_before = valid_before;
    out.nonce = hex_word(number);
    out.signature = {1, 2, 3};
    return x402::without_secrets(out);
}

inline x402::new_payment offer_of(
    std::uint64_t number,
    std::uint64_t valid_before = start_seconds + 300,
    std::uint64_t payer = 1,
    const std::string& offer = "demo/hello"
)
{
    x402::new_payment out;
    out.key = key_of(number, payer);
    out.digest[0] = static_cast<std::uint8_t>(number);
    out.digest[31] = 0xab;
    out.valid_before = valid_before;
    out.terms = terms_of(offer);
    out.offered = offered_of(number, valid_before);
    return out;
}

/// A change whose doer works on it.
inline x402::payment_change ours(x402::payment_state next)
{
    x402::payment_change out(next);
    out.own = true;
    return out;
}

/// A change after which nobody does.
inline x402::payment_change rest(x402::payment_state next)
{
    return x402::payment_change(next);
}

inline x402::payment_change known(x402::payment_state next)
{
    x402::payment_change out(next);
    out.knowledge = true;
    return out;
}

inline x402::payment_change forget()
{
    x402::payment_change out(x402::payment_state::reserved);
    out.forget = true;
    return out;
}

inline x402::payment_change paid()
{
    x402::payment_change out = ours(x402::payment_state::settled);
    out.receipt = "receipt";
    out.proof = x402::payment_proof{hex_word(0x77), true};
    return out;
}

/// One owner's hand, called without coroutines.
class hand
{
public:
    hand(boost::asio::io_context& context, std::unique_ptr<x402::payment_store> store)
        : context_(context), store_(std::move(store))
    {}

    x402::payment_store& store() { return *store_; }
    void destroy() { store_.reset(); }

    result<x402::begin_outcome> begin(x402::new_payment what)
    {
        return portitor::test::run(context_, store_->begin(std::move(what)));
    }
    result<x402::find_outcome> find(x402::payment_key key)
    {
        return portitor::test::run(context_, store_->find({std::move(key)}));
    }
    result<x402::change_outcome>
    advance(x402::payment_key key, std::uint64_t revision, x402::payment_change change)
    {
        return portitor::test::run(context_, store_->advance(std::move(key), revision, std::move(change)));
    }
    result<std::vector<x402::payment_record>> neglected(std::size_t most)
    {
        return portitor::test::run(context_, store_->neglected(most));
    }
    result<std::vector<x402::payment_record>> settled_before(std::size_t most)
    {
        return portitor::test::run(context_, store_->settled_before(most));
    }
    result<void> sweep() { return portitor::test::run(context_, store_->sweep()); }
    void leave() { portitor::test::run(context_, store_->leave()); }

    /// The record that begin() makes; throws where it does not.
    x402::payment_record made(std::uint64_t number, std::uint64_t valid_before = start_seconds + 300)
    {
        return std::get<x402::record_made>(begin(offer_of(number, valid_before)).value()).record;
    }
    /// The record that a change makes; throws where it is not made.
    x402::payment_record change(const x402::payment_record& from, x402::payment_change by)
    {
        return std::get<x402::change_made>(advance(from.key, from.revision, std::move(by)).value()).record;
    }
    bool loses(const x402::payment_record& from, x402::payment_change by)
    {
        return std::holds_alternative<x402::change_lost>(
            advance(from.key, from.revision, std::move(by)).value()
        );
    }
    /// A new payment, driven as far as that.
    x402::payment_record
    reach(std::uint64_t number, x402::payment_state state, std::uint64_t valid_before = start_seconds + 300);

    std::optional<x402::record_found> found(std::uint64_t number)
    {
        const x402::find_outcome out = find(key_of(number)).value();
        const auto* record = std::get_if<x402::record_found>(&out);
        return record != nullptr ? std::optional(*record) : std::nullopt;
    }
    std::optional<x402::record_spent> spent(std::uint64_t number)
    {
        const x402::find_outcome out = find(key_of(number)).value();
        const auto* record = std::get_if<x402::record_spent>(&out);
        return record != nullptr ? std::optional(*record) : std::nullopt;
    }
    bool knows(std::uint64_t number)
    {
        return !std::holds_alternative<std::monostate>(find(key_of(number)).value());
    }

private:
    boost::asio::io_context& context_;
    std::unique_ptr<x402::payment_store> store_;
};

inline x402::payment_record
hand::reach(std::uint64_t number, x402::payment_state state, std::uint64_t valid_before)
{
    using x402::payment_state;
    x402::payment_record now = made(number, valid_before);
    if (state == payment_state::reserved)
        return now;
    now = change(now, ours(payment_state::verified));
    if (state == payment_state::verified)
        return now;
    if (state == payment_state::closed)
    {
        x402::payment_change end = rest(state);
        end.cause = x402::used_cause::withdrawn;
        return change(now, end);
    }
    now = change(now, ours(payment_state::settling));
    if (state == payment_state::settling)
        return now;
    if (state == payment_state::unknown)
    {
        x402::payment_change doubt = rest(state);
        x402::settle_history history;
        history.doubt = history.unnamed = true;
        history.told = {hex_word(0x55)};
        doubt.history = history;
        return change(now, doubt);
    }
    if (state == payment_state::expired)
        return change(now, rest(state));
    x402::payment_change settled = paid();
    settled.own = state != payment_state::settled;
    now = change(now, settled);
    if (state == payment_state::settled)
        return now;
    now = change(now, ours(payment_state::delivering));
    if (state == payment_state::delivering)
        return now;
    return change(now, known(payment_state::delivered));
}

}  // namespace portitor::ledger::test
