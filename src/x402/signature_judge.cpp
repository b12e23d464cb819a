#include <portitor/x402/signature.hpp>
#include <portitor/x402/signature_judge.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace portitor::x402 {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds retry_busy{1};
constexpr std::chrono::seconds retry_node{5};

// ERC-6492: what a signature of a wallet that is not deployed yet ends with.
bool has_undeployed_end(const payment& offered)
{
    constexpr std::size_t size = 32;
    const auto& all = offered.signature;
    if (all.size() <= size)
        return false;
    bool even = true;
    return std::all_of(all.end() - size, all.end(), [&even](std::uint8_t each) {
        const bool fits = each == (even ? 0x64 : 0x92);
        even = !even;
        return fits;
    });
}

// Whether the payer's key signed it for something else than `wanted` that it may be on record for: another
// token of its network, which an EIP-3009 payment does not name, or another network than is wanted today.
bool is_of_other_terms(
    const payment& offered, const payment_requirement& wanted, const network_table& networks
)
{
    const network* on = networks.find(offered.network);
    if (on == nullptr)
        return false;
    return std::any_of(on->tokens.begin(), on->tokens.end(), [&](const token& each) {
        const payment_requirement other = make_requirement(*on, each);
        const bool tried = other.network == wanted.network && other.asset == wanted.asset &&
                           other.asset_name == wanted.asset_name &&
                           other.asset_version == wanted.asset_version;
        return !tried && check_signature(offered, other) == signature_verdict::valid;
    });
}

signature_decision decided(signature_standing standing)
{
    signature_decision out;
    out.standing = standing;
    return out;
}

signature_decision refused(signature_standing standing, const payment& offered)
{
    signature_decision out = decided(standing);
    out.why = signature_refusal(offered);
    return out;
}

signature_decision ask_later(std::chrono::seconds wait, const error& failure)
{
    signature_decision out = decided(signature_standing::ask_later);
    out.retry_after = wait;
    out.failure = failure.message();
    return out;
}

// What follows from a form that needs no question; empty for those that do.
std::optional<signature_decision> decide(signature_form form, const payment& offered)
{
    switch (form)
    {
    case signature_form::proven:
        return decided(signature_standing::proven);
    case signature_form::other_terms:
        return refused(signature_standing::other_terms, offered);
    case signature_form::undeployed:
    case signature_form::unknown:
        return decided(signature_standing::unproven);
    case signature_form::short_wrong:
    case signature_form::contract:
        break;
    }
    return std::nullopt;
}

signature_decision without_node(signature_form form, const payment& offered)
{
    return form == signature_form::contract ? decided(signature_standing::unproven)
                                            : refused(signature_standing::refused, offered);
}

}  // namespace

signature_form
form_of(const payment& offered, const payment_requirement& wanted, const network_table& networks)
{
    const signature_verdict said = check_signature(offered, wanted);
    if (said == signature_verdict::valid)
        return signature_form::proven;
    if (said == signature_verdict::cannot_tell)
        return signature_form::unknown;
    if (is_of_other_terms(offered, wanted, networks))
        return signature_form::other_terms;
    if (has_undeployed_end(offered))
        return signature_form::undeployed;
    return may_be_contract_signature(offered, wanted) ? signature_form::contract
                                                      : signature_form::short_wrong;
}

asio::awaitable<signature_decision>
signature_judge::judge(const payment& offered, const payment_requirement& wanted, std::string tenant) const
{
    const signature_form form = form_of(offered, wanted, networks_);
    if (std::optional<signature_decision> alone = decide(form, offered))
        co_return *std::move(alone);
    if (accounts_ == nullptr)
        co_return without_node(form, offered);
    asio::awaitable<result<bool>> asking =
        accounts_->has_code(offered.network, offered.payer, std::move(tenant));
    // A cancellation would reach the other thread unguarded.
    auto apart = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
    const result<bool> code = co_await asio::co_spawn(strand_, std::move(asking), apart);
    if (code)
        co_return *code ? decided(signature_standing::unproven)
                        : refused(signature_standing::refused, offered);
    switch (code.error().code())
    {
    case errc::not_found:
        co_return without_node(form, offered);
    case errc::unavailable:
        co_return ask_later(retry_busy, code.error());
    default:
        co_return ask_later(retry_node, code.error());
    }
}

}  // namespace portitor::x402
