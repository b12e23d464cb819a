#include "cli/sell/answer_verdict.hpp"

#include "cli/output/text.hpp"

#include <portitor/x402/base64.hpp>
#include <portitor/x402/payment_required.hpp>
#include <portitor/x402/words.hpp>

#include <boost/algorithm/string/predicate.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

namespace portitor::cli::sell {

namespace json = boost::json;

namespace {

constexpr const char* route_header = "X-Portitor-Route";

/// One of the ways to pay that a 402 names.
struct asked_terms
{
    std::string amount;
    std::string asset;
    std::string network;
    std::string pay_to;
};

std::vector<asked_terms> asked_in(const http::response& answer)
{
    const auto header = answer[x402::payment_required_header];
    const auto text = x402::decode_base64({header.data(), header.size()});
    if (header.empty() || !text)
        return {};
    boost::system::error_code failed;
    const json::value read = json::parse(*text, failed);
    if (failed || !read.is_object())
        return {};
    std::vector<asked_terms> out;
    for (const json::value& each : kube::array_at(read.get_object(), "accepts"))
    {
        const json::object& one = kube::as_object(each);
        out.push_back(
            {kube::string_at(one, "amount"),
             kube::string_at(one, "asset"),
             kube::string_at(one, "network"),
             kube::string_at(one, "payTo")}
        );
    }
    return out;
}

/// What applies at the path besides the offer's own terms; null where nothing does.
const api::payment_rule* rule_of(const expected_answer& expected)
{
    return expected.terms ? api::rule_for(*expected.terms, api::segments_of(expected.below)) : nullptr;
}

/// What is charged at the path: the rule's price where there is one.
u256 price_at(const api::payment_route& terms, const api::payment_rule* rule)
{
    return rule ? rule->price : terms.price;
}

bool is_asked(const asked_terms& asked, const api::payment_route& terms, const u256& price)
{
    return asked.amount == to_string(price) && boost::iequals(asked.asset, terms.asset) &&
           asked.network == terms.network && boost::iequals(asked.pay_to, terms.pay_to);
}

answer_verdict
judge_demand(const http::response& answer, const expected_answer& expected, const api::payment_rule* rule)
{
    const auto route = answer[route_header];
    const std::string named(route.data(), route.size());
    if (named != expected.offer)
        return {
            answer_level::bad,
            named.empty()
                ? "a payment is asked for, but not by Portitor's gate (no X-Portitor-Route): something "
                  "else answers on this path"
                : fmt::format("the gate of another offer answers: {}", printable(named, 200))};
    const auto asked = asked_in(answer);
    if (asked.empty())
        return {answer_level::bad, "the gate's 402 names no terms that can be read (PAYMENT-REQUIRED)"};
    if (!expected.terms)
        return {
            answer_level::good,
            "the gate asks for a payment (402); whether by the offer's terms is not known, as they "
            "cannot be read"};
    const u256 price = price_at(*expected.terms, rule);
    const std::string wanted =
        x402::amount_in_words(price, expected.terms->network, expected.terms->asset, *expected.networks);
    for (const asked_terms& each : asked)
    {
        if (is_asked(each, *expected.terms, price))
            return {answer_level::good, fmt::format("the gate asks for {} (402), as the offer says", wanted)};
    }
    return {
        answer_level::bad,
        fmt::format(
            "the gate asks for {} atomic units of {} on {} to {}, and the offer says {} to {}; if "
            "it was just "
            "changed, ask again in some seconds",
            printable(asked.front().amount, 80),
            printable(asked.front().asset, 80),
            printable(asked.front().network, 80),
            printable(asked.front().pay_to, 80),
            wanted,
            expected.terms->pay_to
        )};
}

/// What the gate's refusal says for programs and for people; empty where it is none that can be read.
struct refusal
{
    std::string code;
    std::string message;
};

refusal refusal_in(const http::response& answer)
{
    boost::system::error_code failed;
    const json::value read = json::parse(answer.body(), failed);
    if (answer[route_header].empty() || failed || !read.is_object())
        return {};
    return {kube::string_at(read.get_object(), "error"), kube::string_at(read.get_object(), "message")};
}

answer_verdict judge_refusal(const http::response& answer, const expected_answer& expected)
{
    const unsigned code = answer.result_int();
    const bool by_gate = !answer[route_header].empty();
    const refusal said = refusal_in(answer);
    if (code == 404 && !expected.why_not_sold.empty())
        return {
            answer_level::bad,
            fmt::format("nothing is published on this path (404): {}", expected.why_not_sold)};
    if (code == 404)
        return {
            answer_level::bad,
            "nothing is published on this path (404): see portitor sell status; or the gateway "
            "needs the offer's "
            "host, see --host"};
    if (code == 403 && said.code == "wrong_method")
        return {
            answer_level::bad,
            "spec.routes[].methods does not have the request's method on this path (403), so nothing is sold "
            "by it: ask with one that it has, see --method"};
    if (code == 429)
        return {
            answer_level::bad,
            "there are too many requests (429): the offer's limits, or others of the gateway, let no more "
            "through now"};
    if ((code == 400 || code == 403) && !said.message.empty())
        return {
            answer_level::bad,
            fmt::format("the gate refuses it (HTTP {}): {}", code, printable(said.message, 200))};
    if (code == 403)
        return {
            answer_level::bad,
            "the gate knows no offer on this path (403): the verifier has not taken it up, or the "
            "path is another "
            "one"};
    if (code >= 300 && code < 400)
    {
        const auto where = answer[http::field::location];
        return {
            answer_level::bad,
            fmt::format(
                "it leads elsewhere (HTTP {}): {}", code, printable({where.data(), where.size()}, 200)
            )};
    }
    if (code >= 500)
        return {
            answer_level::bad,
            by_gate
                ? fmt::format(
                      "the gate sells nothing for now (HTTP {}): {} may be suspended as its upstream is down",
                      code,
                      expected.offer
                  )
                : fmt::format("the gateway does not reach the verifier, or fails (HTTP {})", code)};
    return {answer_level::bad, fmt::format("HTTP {}: neither the gate's answer nor the service's", code)};
}

}  // namespace

answer_verdict judge_answer(const http::response& answer, const expected_answer& expected)
{
    const api::payment_rule* rule = rule_of(expected);
    const unsigned code = answer.result_int();
    if (rule && rule->access == api::gate::free)
    {
        if (code == 402)
            return {answer_level::bad, "a payment is asked for, though the path is free in spec.routes"};
        const bool is_refused = code == 403 || code == 429 || !refusal_in(answer).code.empty();
        if (code < 500 && !is_refused)
            return {answer_level::good, fmt::format("the path is free, and answers (HTTP {})", code)};
    }
    if (code == 402)
        return judge_demand(answer, expected, rule);
    if (code >= 200 && code < 300)
        return {
            answer_level::warning,
            fmt::format(
                "OPEN: it is answered without a payment (HTTP {}). Another route or service answers "
                "on this path, or "
                "the gateway does not use the gate: see portitor sell status, and what else leads there",
                code
            )};
    return judge_refusal(answer, expected);
}

bool is_as_sold(const x402::payment_requirement& asked, const expected_answer& expected)
{
    if (!expected.terms)
        return false;
    const api::payment_rule* rule = rule_of(expected);
    if (rule && rule->access == api::gate::free)
        return false;
    return is_asked(
        {to_string(asked.amount), asked.asset, asked.network, asked.pay_to},
        *expected.terms,
        price_at(*expected.terms, rule)
    );
}

}  // namespace portitor::cli::sell
