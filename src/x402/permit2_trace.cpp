#include "x402/settlement_trace.hpp"

#include <portitor/evm/abi.hpp>
#include <portitor/evm/eip712.hpp>
#include <portitor/evm/hex.hpp>
#include <portitor/x402/settlement_chain.hpp>

#include <algorithm>
#include <array>

namespace portitor::x402 {

namespace json = boost::json;

namespace {

// What x402ExactPermit2Proxy is called with: its arguments begin with the permit, after so many words.
struct proxy_method
{
    std::string_view signature;
    std::size_t permit_at;
};

constexpr std::array proxy_methods{
    proxy_method{"settle(((address,uint256),uint256,uint256),address,(address,uint256),bytes)", 0},
    proxy_method{
        "settleWithPermit((uint256,uint256,bytes32,bytes32,uint8),((address,uint256),uint256,uint256),"
        "address,(address,uint256),bytes)",
        5},
};
constexpr std::size_t selector_size = 4;

const evm::address& proxy()
{
    static const evm::address out = evm::address::parse(exact_permit2_proxy).value();
    return out;
}

bool is_call_of(const proxy_method& method, std::span<const std::uint8_t> data)
{
    const evm::word hash = evm::keccak256(method.signature);
    return data.size() >= selector_size &&
           std::equal(data.begin(), data.begin() + selector_size, hash.begin());
}

/// PermitWitnessTransferFrom by way of x402's proxy. Neither contract announces the nonce: what shows is the
/// token's Transfer, and the nonce in what the proxy was called with.
class permit2_trace final : public settlement_trace
{
public:
    using settlement_trace::settlement_trace;

    json::array state_call(std::uint64_t block) const override
    {
        const auto data = evm::call_data(
            "nonceBitmap(address,uint256)", evm::abi_values().add(of().payer).add(place() >> bits_in_word)
        );
        return call_params(permit2_address().to_string(), evm::to_hex(data), block);
    }

    result<bool> read_state(const json::value& answer) const override
    {
        const auto data = evm::read_bytes(answer);
        if (!data || data->size() != sizeof(evm::word))
            return fail(errc::protocol, "the node's answer is not a bitmap of nonces");
        return holds(evm::abi_number(*data, 0).value());
    }

    json::array logs_filter(std::uint64_t first, std::uint64_t last) const override
    {
        json::array either;
        either.emplace_back(std::string(transfer_topic));
        either.emplace_back(std::string(nonce_invalidation_topic));
        json::array topics;
        topics.emplace_back(std::move(either));
        topics.emplace_back(evm::to_hex(evm::to_word(of().payer)));
        json::array contracts;
        contracts.emplace_back(of().token.to_string());
        contracts.emplace_back(permit2_address().to_string());
        return logs_params(std::move(contracts), std::move(topics), first, last);
    }

    bool needs_call() const override { return true; }

    // Of two payments of the same amount, only the nonce tells which one a transfer was. A contract in
    // between may be told one nonce and use another one.
    trace_word judge(const evm::receipt& receipt, const evm::sent_call& call) const override
    {
        if (call.to != proxy())
            return trace_word::untied;
        for (const proxy_method& each : proxy_methods)
        {
            if (!is_call_of(each, call.data))
                continue;
            const auto arguments = std::span(call.data).subspan(selector_size);
            if (!is_for_us(arguments, each.permit_at))
                return trace_word::not_ours;
            const bool paid = std::any_of(receipt.logs.begin(), receipt.logs.end(), [this](const auto& log) {
                return pays(log, of());
            });
            return paid ? trace_word::settled : trace_word::used_otherwise;
        }
        return trace_word::untied;
    }

private:
    std::optional<nonce_event> event_of(const evm::log_entry& each) const override
    {
        const bool canceled = invalidates(each);
        if (!canceled && !pays(each, of()))
            return std::nullopt;
        return nonce_event{canceled, canceled};
    }

    static constexpr unsigned bits_in_word = 8;  // of a nonce's place in the bitmap

    u256 place() const { return evm::number_of(of().nonce); }

    /// Whether a word of the bitmap, or a mask of it, has the nonce.
    bool holds(const u256& bitmap) const
    {
        return boost::multiprecision::bit_test(bitmap, static_cast<unsigned>(place() & 0xffU));
    }

    /// UnorderedNonceInvalidation(address indexed owner, uint256 word, uint256 mask)
    bool invalidates(const evm::log_entry& what) const
    {
        return what.contract == permit2_address() && is_of(what, nonce_invalidation_topic) &&
               what.topics.size() == 2 && what.topics[1] == evm::to_word(of().payer) &&
               what.data.size() == 2 * sizeof(evm::word) &&
               evm::abi_number(what.data, 0).value() == place() >> bits_in_word &&
               holds(evm::abi_number(what.data, 1).value());
    }

    bool is_for_us(std::span<const std::uint8_t> arguments, std::size_t at) const
    {
        const auto token = evm::abi_address(arguments, at);
        const auto amount = evm::abi_number(arguments, at + 1);
        const auto nonce = evm::abi_number(arguments, at + 2);
        const auto owner = evm::abi_address(arguments, at + 4);
        const auto pay_to = evm::abi_address(arguments, at + 5);
        return token && amount && nonce && owner && pay_to && *token == of().token && *amount == of().value &&
               *nonce == place() && *owner == of().payer && *pay_to == of().pay_to;
    }
};

}  // namespace

std::unique_ptr<const settlement_trace> make_permit2_trace(const signed_payment& of)
{
    return std::make_unique<permit2_trace>(of);
}

}  // namespace portitor::x402
