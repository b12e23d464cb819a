#include "cli/pay/exchange.hpp"

#include "cli/output/text.hpp"

#include <portitor/core/small_file.hpp>
#include <portitor/http/client.hpp>
#include <portitor/x402/buyer.hpp>
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

result<std::unique_ptr<http::client>>
make_buyer_client(const roles::process& around, const std::string& ca_file)
{
    http::client_settings settings;
    if (!ca_file.empty())
    {
        auto authorities = read_small_file(ca_file);
        if (!authorities)
            return authorities.error().within("--ca-file");
        settings.tls.ca = std::move(*authorities);
    }
    auto client = http::make_client(around.executor, settings);
    return client ? std::move(client) : client.error().within("--ca-file");
}

std::optional<std::string_view> header_of(const http::response& answer, std::string_view name)
{
    const auto found = answer.find({name.data(), name.size()});
    if (found == answer.end())
        return std::nullopt;
    return std::string_view(found->value().data(), found->value().size());
}

http::request request_for(const wish& what)
{
    http::request out;
    out.method_string({what.method.data(), what.method.size()});
    out.target({what.where.target.data(), what.where.target.size()});
    out.version(11);
    out.set(http::field::user_agent, "portitor/" PORTITOR_VERSION);
    out.set(http::field::accept, "*/*");
    if (!what.body.empty())
        out.set(http::field::content_type, "application/json");
    for (const auto& [name, value] : what.headers)
        out.set(name, value);
    out.body() = what.body;
    // Also without a body, where one is usual (RFC 9110 section 8.6).
    if (!what.body.empty() || (what.method != "GET" && what.method != "HEAD"))
        out.content_length(what.body.size());
    return out;
}

http::client_options options_of(const wish& what)
{
    http::client_options out;
    out.timeout = what.timeout;
    out.max_body = max_answer;
    // The terms of many ways to pay, with what describes the service, are longer than most headers.
    out.max_header = max_answer_header;
    return out;
}

bool is_redirect(unsigned status) noexcept
{
    return status >= 300 && status < 400;
}

std::string told_of_redirect(const http::response& answer)
{
    const auto where = header_of(answer, "Location");
    return fmt::format(
        "the server answered {} and sends to {}; redirects are not followed, as another server might ask for "
        "other terms: ask that URL itself",
        answer.result_int(),
        where ? printable(*where, 300) : "nowhere"
    );
}

std::string words_of(const http::response& answer)
{
    if (std::string words = words_of_body(answer.body()); !words.empty())
        return words;
    if (const auto asked = header_of(answer, x402::payment_required_header))
        if (std::string words = x402::words_in_terms(*asked); !words.empty())
            return words;
    for (const int version : {2, 1})
        if (const auto value = header_of(answer, x402::receipt_header(version)))
            if (const auto read = x402::read_receipt(*value); read && !read->reason.empty())
                return read->reason;
    return {};
}

std::string and_words(const http::response& answer)
{
    const std::string words = printable(words_of(answer), 500);
    return words.empty() ? words : ": " + words;
}

}  // namespace portitor::cli::pay
