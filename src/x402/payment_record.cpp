#include <portitor/x402/payment_record.hpp>
#include <portitor/x402/payment_store.hpp>

#include <algorithm>
#include <iterator>

namespace portitor::x402 {

namespace {

// In the order of the enumerators.
constexpr std::array<const char*, payment_states> state_names = {
    "reserved", "verified", "settling", "unknown", "settled", "delivering", "delivered", "closed", "expired"};
constexpr std::array<const char*, 5> cause_names = {"sold", "elsewhere", "failed", "withdrawn", "expired"};

template <typename Enum, std::size_t Size>
std::optional<Enum> parse(const std::array<const char*, Size>& names, std::string_view name) noexcept
{
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end())
        return std::nullopt;
    return static_cast<Enum>(std::distance(names.begin(), at));
}

}  // namespace

const char* to_string(payment_state state) noexcept
{
    return state_names.at(static_cast<std::size_t>(state));
}

std::optional<payment_state> parse_payment_state(std::string_view name) noexcept
{
    return parse<payment_state>(state_names, name);
}

bool is_over(payment_state state) noexcept
{
    return state == payment_state::delivered || state == payment_state::closed;
}

const char* to_string(used_cause cause) noexcept
{
    return cause_names.at(static_cast<std::size_t>(cause));
}

std::optional<used_cause> parse_used_cause(std::string_view name) noexcept
{
    return parse<used_cause>(cause_names, name);
}

const char* to_string(record_refusal why) noexcept
{
    switch (why)
    {
    case record_refusal::payer_full:
        return "payer_full";
    case record_refusal::offer_full:
        return "offer_full";
    case record_refusal::tenant_full:
        return "tenant_full";
    case record_refusal::full:
        return "full";
    case record_refusal::too_old:
        return "too_old";
    }
    return "full";
}

std::string_view payment_terms::tenant() const noexcept
{
    return std::string_view(offer).substr(0, offer.find('/'));
}

std::shared_ptr<const payment> without_secrets(const payment& offered)
{
    auto out = std::make_shared<payment>();
    out->version = offered.version;
    out->scheme = offered.scheme;
    out->network = offered.network;
    out->kind = offered.kind;
    out->payer = offered.payer;
    out->pay_to = offered.pay_to;
    out->value = offered.value;
    out->asset = offered.asset;
    out->spender = offered.spender;
    out->valid_after = offered.valid_after;
    out->valid_before = offered.valid_before;
    out->nonce = offered.nonce;
    return out;
}

}  // namespace portitor::x402
