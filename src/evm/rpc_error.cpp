#include <portitor/evm/rpc_error.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace portitor::evm {

namespace {

struct wording
{
    std::string_view phrase;  ///< in lower case
    rpc_refusal means;
};

// In this order: some messages hold several of them.
constexpr std::array wordings{
    wording{"already known", rpc_refusal::already_known},
    wording{"alreadyknown", rpc_refusal::already_known},  // nethermind
    wording{"already imported", rpc_refusal::already_known},
    wording{"existing tx with same hash", rpc_refusal::already_known},
    wording{"known transaction", rpc_refusal::already_known},
    wording{"another transaction with same nonce", rpc_refusal::replacement_underpriced},
    wording{"replacement transaction underpriced", rpc_refusal::replacement_underpriced},
    wording{"could not replace existing tx", rpc_refusal::replacement_underpriced},  // erigon
    wording{"replacementnotallowed", rpc_refusal::replacement_underpriced},          // nethermind
    wording{"nonce too low", rpc_refusal::nonce_too_low},
    wording{"oldnonce", rpc_refusal::nonce_too_low},  // nethermind
    wording{"nonce is too low", rpc_refusal::nonce_too_low},
    wording{"insufficient funds", rpc_refusal::insufficient_funds},
    wording{"insufficientfunds", rpc_refusal::insufficient_funds},  // nethermind
    wording{"gas required exceeds allowance", rpc_refusal::insufficient_funds},
    wording{"max priority fee per gas higher than max fee per gas", rpc_refusal::permanent},
    wording{"max fee per gas less than block base fee", rpc_refusal::underpriced},
    wording{"fee cap less than block base fee", rpc_refusal::underpriced},
    wording{"underpriced", rpc_refusal::underpriced},
    wording{"feetoolow", rpc_refusal::underpriced},  // nethermind
    wording{"fee too low", rpc_refusal::underpriced},
    wording{"invalid chain id", rpc_refusal::wrong_chain},
    wording{"invalid chainid", rpc_refusal::wrong_chain},
    wording{"chainid not supported", rpc_refusal::wrong_chain},
    wording{"chain id does not match", rpc_refusal::wrong_chain},
    wording{"execution reverted", rpc_refusal::reverted},
    wording{"vm execution error", rpc_refusal::reverted},
    wording{"intrinsic gas too low", rpc_refusal::permanent},
    wording{"failed to decode", rpc_refusal::permanent},
    wording{"rlp: ", rpc_refusal::permanent},
    wording{"exceeds block gas limit", rpc_refusal::permanent},
    wording{"gas limit too high", rpc_refusal::permanent},  // EIP-7825
    wording{"exceeds the limit allowed", rpc_refusal::permanent},
    wording{"transaction type not supported", rpc_refusal::permanent},
    wording{"oversized data", rpc_refusal::permanent},
    wording{"txpool is full", rpc_refusal::retry},
    wording{"transaction pool is full", rpc_refusal::retry},
    wording{"rate limit", rpc_refusal::retry},
    wording{"too many requests", rpc_refusal::retry},
    wording{"block range", rpc_refusal::log_range},
    wording{"exceeds limit of", rpc_refusal::log_range},
    wording{"exceeds max results", rpc_refusal::log_range},
    wording{"more than 10000 results", rpc_refusal::log_range},
    wording{"query returned more than", rpc_refusal::log_range},
};

constexpr std::array names{
    "unknown",
    "already_known",
    "nonce_too_low",
    "replacement_underpriced",
    "underpriced",
    "insufficient_funds",
    "wrong_chain",
    "reverted",
    "permanent",
    "log_range",
    "retry",
};

bool is_letter(char each)
{
    return each >= 'a' && each <= 'z';
}

/// Whether a phrase stands in the text as words of its own.
bool holds(std::string_view text, std::string_view phrase)
{
    for (std::size_t at = text.find(phrase); at != text.npos; at = text.find(phrase, at + 1))
    {
        const std::size_t end = at + phrase.size();
        const bool begins = at == 0 || !is_letter(text[at - 1]);
        const bool ends = end == text.size() || !is_letter(text[end]) || !is_letter(phrase.back());
        if (begins && ends)
            return true;
    }
    return false;
}

}  // namespace

rpc_refusal read_rpc_refusal(std::string_view message)
{
    // What a node writes at the end of a longer message is no reason.
    constexpr std::size_t longest_read = 1000;
    std::string text(message.substr(0, longest_read));
    std::transform(text.begin(), text.end(), text.begin(), [](char each) {
        return each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each;
    });
    for (const wording& each : wordings)
    {
        if (holds(text, each.phrase))
            return each.means;
    }
    return rpc_refusal::unknown;
}

const char* to_string(rpc_refusal what) noexcept
{
    return names[static_cast<std::size_t>(what)];
}

bool is_lack(const rpc_error& why)
{
    return why.code() == errc::refused && why.refusal() != rpc_refusal::retry &&
           why.refusal() != rpc_refusal::reverted;
}

void throw_exception_from_error(const rpc_error& failure, const boost::source_location& where)
{
    throw_exception_from_error(failure.to_error(), where);
}

}  // namespace portitor::evm
