#include "x402/settlement_trace.hpp"

#include <portitor/evm/abi.hpp>
#include <portitor/evm/eip712.hpp>
#include <portitor/evm/hex.hpp>
#include <portitor/x402/settlement_chain.hpp>

namespace portitor::x402 {

namespace json = boost::json;

namespace {

/// TransferWithAuthorization of a token: it announces that the authorization was used or canceled.
class eip3009_trace final : public settlement_trace
{
public:
    using settlement_trace::settlement_trace;

    json::array state_call(std::uint64_t block) const override
    {
        return call_params(
            of().token.to_string(),
            std::string(authorization_state_selector) + evm::to_hex(evm::to_word(of().payer)).substr(2) +
                evm::to_hex(of().nonce).substr(2),
            block
        );
    }

    result<bool> read_state(const json::value& answer) const override
    {
        const auto data = evm::read_bytes(answer);
        const auto number = data && data->size() == sizeof(evm::word) ? evm::abi_number(*data, 0)
                                                                      : result<u256>(no_boolean());
        if (!number || *number > 1)
            return no_boolean();
        return *number == 1;
    }

    json::array logs_filter(std::uint64_t first, std::uint64_t last) const override
    {
        json::array either;
        either.emplace_back(std::string(authorization_used_topic));
        either.emplace_back(std::string(authorization_canceled_topic));
        json::array topics;
        topics.emplace_back(std::move(either));
        topics.emplace_back(evm::to_hex(evm::to_word(of().payer)));
        topics.emplace_back(evm::to_hex(of().nonce));
        return logs_params(json::value(of().token.to_string()), std::move(topics), first, last);
    }

    bool needs_call() const override { return false; }

    // One transaction may use several authorizations, some of them for something else, so a fitting transfer
    // somewhere in it proves nothing: it must be the one of this authorization. Tokens announce the use and
    // then the transfer; where only one authorization is used, the order does not matter.
    trace_word judge(const evm::receipt& receipt, const evm::sent_call&) const override
    {
        bool ours = false;
        bool ours_seen = false;
        bool any_pays = false;
        std::size_t used = 0;
        for (const evm::log_entry& each : receipt.logs)
        {
            if (each.contract != of().token)
                continue;
            if (is_of(each, authorization_used_topic))
            {
                ++used;
                ours = ends(each, authorization_used_topic);
                ours_seen = ours_seen || ours;
            }
            else if (is_of(each, transfer_topic))
            {
                if (ours && pays(each, of()))
                    return trace_word::settled;
                any_pays = any_pays || pays(each, of());
                ours = false;
            }
        }
        return used == 1 && ours_seen && any_pays ? trace_word::settled : trace_word::used_otherwise;
    }

private:
    std::optional<nonce_event> event_of(const evm::log_entry& each) const override
    {
        const bool canceled = ends(each, authorization_canceled_topic);
        if (each.contract != of().token || !(canceled || ends(each, authorization_used_topic)))
            return std::nullopt;
        return nonce_event{canceled};
    }

    static error no_boolean() { return fail(errc::protocol, "the node's answer is not a boolean"); }

    bool ends(const evm::log_entry& what, std::string_view topic) const
    {
        return is_of(what, topic) && what.topics.size() == 3 && what.topics[1] == evm::to_word(of().payer) &&
               what.topics[2] == of().nonce;
    }
};

}  // namespace

std::unique_ptr<const settlement_trace> make_eip3009_trace(const signed_payment& of)
{
    return std::make_unique<eip3009_trace>(of);
}

}  // namespace portitor::x402
