#include "x402/facilitator_messages.hpp"

#include "x402/json.hpp"

#include <portitor/evm/hex.hpp>
#include <portitor/http/retry_after.hpp>
#include <portitor/x402/error_codes.hpp>

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace portitor::x402 {

namespace json = boost::json;

namespace {

constexpr std::size_t max_reason = 100;
constexpr std::size_t max_transaction = 128;
constexpr std::size_t max_location = 300;

bool printable(std::string_view text, std::size_t limit)
{
    return !text.empty() && text.size() <= limit &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

error broken(
    const http::response& answer,
    std::string_view operation,
    std::string_view what,
    errc code = errc::protocol
)
{
    return fail(code, "facilitator {} (status {}): {}", operation, answer.result_int(), what);
}

bool asks_to_wait(const http::response& answer)
{
    return answer.result() == http::status::too_many_requests ||
           answer.result() == http::status::service_unavailable;
}

std::chrono::seconds wait_of(const http::response& answer)
{
    return asks_to_wait(answer) ? http::retry_after(answer) : std::chrono::seconds(0);
}

// The kind of failure that a body without an answer is. A 4xx may be due to what the buyer wrote, and so may
// a 500: facilitators throw at what they cannot read. Neither must count against the facilitator.
errc kind_of(const http::response& answer)
{
    const unsigned status = answer.result_int();
    if (asks_to_wait(answer))
        return errc::unavailable;
    return status >= 400 && status <= 500 && status != 408 ? errc::refused : errc::protocol;
}

facilitator_trouble trouble_of(const http::response& answer)
{
    const unsigned status = answer.result_int();
    if (is_redirect(answer))
        return facilitator_trouble::redirect;
    if (status == 401 || status == 403)
        return facilitator_trouble::credentials;
    // Who says when to come back is alive.
    const bool broken = kind_of(answer) == errc::protocol ||
                        (asks_to_wait(answer) && wait_of(answer) == std::chrono::seconds(0));
    return broken ? facilitator_trouble::no_answer : facilitator_trouble::none;
}

// Where a redirect leads, as it may be shown: what stands elsewhere than in host and path may be a secret.
std::string shown_location(const http::response& answer)
{
    const auto found = answer[http::field::location];
    const std::string_view text = std::string_view(found.data(), found.size());
    const std::string_view path = text.substr(0, text.find_first_of("?#"));
    if (!printable(path, max_location))
        return "an address that cannot be shown";
    if (path.starts_with('/') && !path.starts_with("//"))
        return std::string(path);
    const auto url = http::parse_url(path);
    return url ? url->origin.to_string() + url->target : "an address that cannot be shown";
}

// Why an answer is none. Of who answers from elsewhere or keeps us out, what is wrong with the body tells
// nothing.
error no_answer(const http::response& answer, std::string_view operation, std::string_view otherwise)
{
    switch (trouble_of(answer))
    {
    case facilitator_trouble::redirect:
        return broken(answer, operation, words_of_redirect(answer));
    case facilitator_trouble::credentials:
        return broken(
            answer, operation, "the facilitator wants credentials: the operator's to mend", errc::refused
        );
    default:
        return broken(answer, operation, otherwise, kind_of(answer));
    }
}

// What an answer without a judgement comes to.
template <typename Outcome>
Outcome without_judgement(const http::response& answer, error why)
{
    Outcome out(std::move(why), wait_of(answer));
    out.trouble = trouble_of(answer);
    return out;
}

// What an answer with a judgement comes to that cannot be true, or is none of the protocol's.
template <typename Outcome>
Outcome lie(const http::response& answer, std::string_view operation, std::string_view what)
{
    Outcome out(broken(answer, operation, what));
    out.trouble = facilitator_trouble::no_answer;
    return out;
}

result<json::object> read_object(const http::response& answer, std::string_view operation)
{
    if (answer.body().size() > max_facilitator_answer)
        return no_answer(answer, operation, "the answer is longer than 64 KiB");
    auto parsed = parse_object(answer.body());
    if (!parsed)
        return no_answer(answer, operation, "the answer is " + parsed.error().message());
    return parsed;
}

bool is_code(std::string_view text)
{
    return !text.empty() && text.size() <= max_reason && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

// InvalidNonce() of Permit2. The SDK does not know the error, and so gives its selector.
constexpr std::string_view invalid_nonce_selector = "0x756688fe";

// Where the chain refused, the SDK gives no code but the text of its chain library: its v1 settlement always,
// that of Permit2 where it does not know the error. The text also holds the authorization and its signature.
// Such a text comes from the simulation before the broadcast, so it is certain. Empty for any other text.
std::string_view code_of_revert(std::string_view text)
{
    const bool by_selector = text.find("reverted with the following signature") != text.npos;
    if (by_selector && text.find(invalid_nonce_selector) != text.npos)
        return "permit2_invalid_nonce";
    if (!by_selector && text.find("reverted with the following reason") == text.npos)
        return {};
    if (text.find("authorization is used or canceled") != text.npos)
        return "invalid_exact_evm_nonce_already_used";
    if (text.find("transfer amount exceeds balance") != text.npos)
        return "invalid_exact_evm_insufficient_balance";
    return "invalid_exact_evm_transaction_simulation_failed";
}

// A code, or `otherwise` where there is none. Codes are open strings, but a text that is no code is never
// passed on: it may hold anything. Empty for a wrong type.
std::optional<std::string>
read_reason(const json::object& from, std::string_view name, std::string_view otherwise)
{
    if (lacks(from, name))
        return std::string(otherwise);
    const json::string* text = string_member(from, name);
    if (text == nullptr)
        return std::nullopt;
    if (is_code(view(*text)))
        return std::string(view(*text));
    const std::string_view revert = code_of_revert(view(*text));
    return std::string(revert.empty() ? otherwise : revert);
}

// The payer is optional in answers; one that is there must be ours.
bool payer_fits(const json::object& answer, const payment& offered)
{
    if (lacks(answer, "payer"))
        return true;
    const json::string* text = string_member(answer, "payer");
    if (text == nullptr)
        return false;
    const auto payer = evm::address::parse(view(*text));
    return payer && *payer == offered.payer;
}

// Of the EVM a transaction's hash; other networks name theirs otherwise.
bool is_transaction(std::string_view text, std::string_view network)
{
    constexpr std::size_t digits = 64;
    if (!network.starts_with("eip155:"))
        return printable(text, max_transaction);
    return text.size() == 2 + digits && evm::is_hex(text);
}

// Likewise optional. The scheme "exact" moves what is wanted, no more and no less.
bool amount_fits(const json::object& answer, const payment_requirement& wanted)
{
    if (lacks(answer, "amount"))
        return true;
    const json::string* text = string_member(answer, "amount");
    if (text == nullptr)
        return false;
    const auto amount = parse_u256(view(*text));
    return amount && *amount == wanted.amount;
}

// What a settlement that says that it had no success tells about the money.
settle_outcome read_refusal(const http::response& answer, std::string reason, std::string_view transaction)
{
    const code_meaning meaning = meaning_after_settle(reason);
    // Who has a fault cannot vouch for having stopped in time; but a nonce that it saw used, is.
    const bool clear = meaning == code_meaning::refused
                           ? answer.result_int() < 500
                           : meaning == code_meaning::already_used || meaning == code_meaning::being_settled;
    if (clear && transaction.empty())
        return settle_refused(std::move(reason));
    settle_unknown out(broken(answer, "settle", reason + ": it may still be settled", errc::refused));
    if (printable(transaction, max_transaction))
        out.transaction = transaction;
    out.failed = meaning == code_meaning::failed && !out.transaction.empty();
    return out;
}

}  // namespace

result<http::url> parse_facilitator_url(std::string_view base)
{
    auto url = http::parse_url(base);
    if (!url)
        return url.error().within("facilitator URL");
    if (url->target.find('?') != url->target.npos)
        return fail(errc::invalid, "facilitator URL: it must not have a query");
    while (url->target.ends_with('/'))
        url->target.pop_back();
    return url;
}

http::request make_facilitator_request(
    std::string_view path,
    std::string_view operation,
    const payment& offered,
    const payment_requirement& wanted
)
{
    std::string target(path);
    target += '/';
    target += operation;

    http::request message;
    message.method(http::verb::post);
    message.target(target);
    message.set(http::field::content_type, "application/json");
    message.set(http::field::accept, "application/json");
    // The payment as the client wrote it, which is strict JSON; the requirement always ours: what the client
    // echoes is not signed.
    const std::string amount = to_string(wanted.amount);
    std::string& body = message.body();
    body.reserve(offered.text.size() + 1024);
    body += offered.version == 1 ? "{\"x402Version\":1" : "{\"x402Version\":2";
    body += ",\"paymentPayload\":";
    body += offered.text;
    body += ",\"paymentRequirements\":";
    if (offered.version == 1)
        append_v1_json(body, view_of(wanted, amount));
    else
        append_v2_json(body, view_of(wanted, amount));
    body += '}';
    return message;
}

verify_outcome read_verify_answer(const http::response& answer, const payment& offered)
{
    const auto parsed = read_object(answer, "verify");
    if (!parsed)
        return without_judgement<verify_unavailable>(answer, parsed.error());
    const auto valid = bool_member(*parsed, "isValid");
    if (!valid)
        return without_judgement<verify_unavailable>(
            answer, no_answer(answer, "verify", "the answer has no boolean isValid")
        );
    if (*valid)
    {
        if (!payer_fits(*parsed, offered))
            return lie<verify_unavailable>(answer, "verify", "the answer is about another payer");
        return verify_valid();
    }
    auto reason = read_reason(*parsed, "invalidReason", "unexpected_verify_error");
    if (!reason)
        return lie<verify_unavailable>(answer, "verify", "invalidReason must be a string");
    return verify_invalid(*std::move(reason));
}

settle_outcome
read_settle_answer(const http::response& answer, const payment& offered, const payment_requirement& wanted)
{
    const auto parsed = read_object(answer, "settle");
    if (!parsed)
        return without_judgement<settle_unknown>(answer, parsed.error());
    const json::object& body = *parsed;
    const auto success = bool_member(body, "success");
    if (!success)
        return without_judgement<settle_unknown>(
            answer, no_answer(answer, "settle", "the answer has no boolean success")
        );

    std::string_view transaction;
    if (!lacks(body, "transaction"))
    {
        const json::string* text = string_member(body, "transaction");
        if (text == nullptr)
            return lie<settle_unknown>(answer, "settle", "transaction must be a string");
        transaction = view(*text);
    }

    if (!*success)
    {
        auto reason = read_reason(body, "errorReason", "unexpected_settle_error");
        if (!reason)
            return lie<settle_unknown>(answer, "settle", "errorReason must be a string");
        return read_refusal(answer, *std::move(reason), transaction);
    }

    if (!is_transaction(transaction, wanted.network))
        return lie<settle_unknown>(answer, "settle", "success without a transaction of the network's form");
    const json::string* network = string_member(body, "network");
    if (network == nullptr)
        return lie<settle_unknown>(answer, "settle", "network must be a string");
    if (view(*network) != wanted.network && (offered.version != 1 || view(*network) != wanted.v1_network))
        return lie<settle_unknown>(answer, "settle", "the answer is about another network");
    if (!payer_fits(body, offered))
        return lie<settle_unknown>(answer, "settle", "the answer is about another payer");
    if (!amount_fits(body, wanted))
        return lie<settle_unknown>(answer, "settle", "the answer is about another amount");

    // Only what the specification names: the receipt becomes a header.
    json::object receipt;
    receipt["success"] = true;
    receipt["transaction"] = json::string_view(transaction.data(), transaction.size());
    receipt["network"] = *network;
    receipt["payer"] = offered.payer.to_string();
    if (const json::string* amount = string_member(body, "amount"))
        receipt["amount"] = *amount;
    return settle_settled(std::string(transaction), std::move(receipt));
}

bool is_redirect(const http::response& answer)
{
    return answer.result_int() >= 300 && answer.result_int() < 400;
}

std::string words_of_redirect(const http::response& answer)
{
    return "it redirects to " + shown_location(answer) +
           ", which is not followed: name the address that answers";
}

}  // namespace portitor::x402
