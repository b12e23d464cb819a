#include "x402/json.hpp"

#include <portitor/evm/hex.hpp>
#include <portitor/x402/base64.hpp>
#include <portitor/x402/buyer.hpp>

namespace portitor::x402 {

namespace json = boost::json;

namespace {

std::string text_of(const json::object& from, std::string_view name)
{
    constexpr std::size_t longest = 500;
    const json::string* found = string_member(from, name);
    return found ? std::string(view(*found).substr(0, longest)) : std::string();
}

}  // namespace

result<receipt> read_receipt(std::string_view value)
{
    if (value.size() > max_payment_header)
        return fail(errc::protocol, "the receipt is longer than {} bytes", max_payment_header);
    const auto text = decode_base64(value);
    if (!text)
        return fail(errc::protocol, "the receipt: {}", text.error().message());
    const auto top = parse_object(*text);
    if (!top)
        return fail(errc::protocol, "the receipt: {}", top.error().message());
    const auto success = bool_member(*top, "success");
    if (!success)
        return fail(errc::protocol, "the receipt: success must be true or false");
    receipt out;
    out.success = *success;
    out.transaction = text_of(*top, "transaction");
    out.network = text_of(*top, "network");
    out.payer = text_of(*top, "payer");
    out.reason = text_of(*top, "errorReason");
    if (const std::string message = text_of(*top, "errorMessage"); !message.empty())
        out.reason += (out.reason.empty() ? "" : ": ") + message;
    return out;
}

std::string doubt_about(const receipt& got, const evm::address& payer, const payment_option* paid)
{
    const auto named = evm::address::parse(got.payer);
    if (!got.payer.empty() && (!named || *named != payer))
        return fmt::format("it names another payer, {}", got.payer);
    if (paid && !got.network.empty() && got.network != paid->network && got.network != paid->wanted.network)
        return fmt::format("it names another network, {}", got.network);
    evm::word hash{};
    if (!got.transaction.empty() && !evm::parse_hex(got.transaction, hash))
        return fmt::format("its transaction, {}, is none", got.transaction);
    return {};
}

}  // namespace portitor::x402
