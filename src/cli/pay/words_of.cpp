#include "cli/pay/buyer_run.hpp"

#include <portitor/x402/payment_required.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace portitor::cli::pay {

namespace {

namespace json = boost::json;

// What explains a refusal is short.
constexpr std::size_t longest_body = 256 * 1024;

std::string text_of(const json::object& from, std::string_view name)
{
    const json::value* found = from.if_contains({name.data(), name.size()});
    return found && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::string words_of_body(std::string_view body)
{
    if (body.size() > longest_body)
        return {};
    boost::system::error_code failure;
    const json::value parsed = json::parse({body.data(), body.size()}, failure);
    if (failure || !parsed.is_object())
        return {};
    std::string out = text_of(parsed.get_object(), "error");
    if (const std::string message = text_of(parsed.get_object(), "message"); !message.empty())
        out += (out.empty() ? "" : ": ") + message;
    return out;
}

}  // namespace

std::string words_of(const http::response& answer)
{
    if (std::string words = words_of_body(answer.body()); !words.empty())
        return words;
    const auto& asked = x402::payment_required_header;
    if (const auto found = answer.find({asked.data(), asked.size()}); found != answer.end())
    {
        const auto terms = x402::read_terms(
            std::string_view(found->value().data(), found->value().size()), "", x402::network_table()
        );
        if (terms && !terms->error.empty())
            return terms->error;
    }
    for (const int version : {2, 1})
    {
        const auto name = x402::receipt_header(version);
        const auto found = answer.find({name.data(), name.size()});
        if (found == answer.end())
            continue;
        const auto read = x402::read_receipt({found->value().data(), found->value().size()});
        if (read && !read->reason.empty())
            return read->reason;
    }
    return {};
}

}  // namespace portitor::cli::pay
