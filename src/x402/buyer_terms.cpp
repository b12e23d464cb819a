#include "x402/buyer_option.hpp"
#include "x402/json.hpp"

#include <portitor/x402/base64.hpp>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace portitor::x402 {

namespace json = boost::json;

namespace {

result<offered_terms> read_message(const json::object& top, int version, const network_table& known)
{
    if (integer_member(top, "x402Version") != version)
        return wrong("x402Version", std::to_string(version));
    const json::value* accepts = top.if_contains("accepts");
    if (!accepts || !accepts->is_array())
        return wrong("accepts", "a list");
    if (accepts->get_array().empty())
        return fail(errc::protocol, "accepts is empty: it names no way to pay");
    if (accepts->get_array().size() > max_accepts)
        return fail(errc::protocol, "accepts has more than {} entries", max_accepts);

    offered_terms out;
    out.version = version;
    out.error = text_of(top, "error");
    const json::object* resource = version == 2 ? object_member(top, "resource") : nullptr;
    if (resource)
        out.resource = *resource;
    if (const json::object* extensions = object_member(top, "extensions"); extensions && version == 2)
        out.extensions = *extensions;
    for (std::size_t i = 0; i < accepts->get_array().size(); ++i)
    {
        const json::object* entry = accepts->get_array()[i].if_object();
        auto option = entry ? read_option(*entry, version, known)
                            : result<payment_option>(fail(errc::protocol, "it is no object"));
        if (!option)
        {
            out.passed_over.push_back(fmt::format("accepts[{}]: {}", i, option.error().message()));
            continue;
        }
        const json::object& described = resource ? *resource : *entry;
        option->wanted.resource_url = text_of(described, resource ? "url" : "resource");
        option->wanted.description = text_of(described, "description");
        option->wanted.mime_type = text_of(described, "mimeType");
        out.options.push_back(std::move(*option));
    }
    return out;
}

result<json::object> object_in(std::string_view header)
{
    auto text = decode_base64(header);
    if (!text)
        return fail(errc::protocol, "{}", text.error().message());
    auto top = parse_object(*text);
    return top ? std::move(top) : fail(errc::protocol, "{}", top.error().message());
}

result<offered_terms> read_header(std::string_view header, const network_table& known)
{
    const auto top = object_in(header);
    if (!top)
        return top.error();
    return read_message(*top, 2, known);
}

result<offered_terms> read_body(std::string_view body, int version, const network_table& known)
{
    const auto top = parse_object(body);
    if (!top)
        return fail(errc::protocol, "{}", top.error().message());
    return read_message(*top, version, known);
}

/// Whether both are ways to pay with one token, which only their amount and receiver could tell apart.
bool are_rivals(const payment_requirement& one, const payment_requirement& other)
{
    return one.network == other.network && one.asset == other.asset && one.method == other.method;
}

/// Whoever reads one of two texts must not be asked for something else than who reads the other.
result<void> check_agreement(const offered_terms& header, const offered_terms& body)
{
    for (const payment_option& each : body.options)
    {
        const payment_requirement* rival = nullptr;
        bool agrees = false;
        for (const payment_option& other : header.options)
            if (are_rivals(each.wanted, other.wanted))
            {
                rival = &other.wanted;
                agrees =
                    agrees || (rival->amount == each.wanted.amount && rival->pay_to == each.wanted.pay_to);
            }
        if (rival && !agrees)
            return fail(
                errc::protocol,
                "the 402 contradicts itself: PAYMENT-REQUIRED asks for {} units of {} to {}, its body for {} "
                "to {}",
                to_string(rival->amount),
                rival->asset,
                rival->pay_to,
                to_string(each.wanted.amount),
                each.wanted.pay_to
            );
    }
    return {};
}

/// Where both can be read; x402 leaves the body of v2 free, and some write the header's message there.
result<void> check_agreement(std::string_view header, std::string_view body, const network_table& known)
{
    const auto first = read_header(header, known);
    auto second = read_body(body, 1, known);
    if (!second)
        second = read_body(body, 2, known);
    return first && second ? check_agreement(*first, *second) : result<void>();
}

}  // namespace

result<offered_terms> read_terms(
    std::optional<std::string_view> header,
    std::string_view body,
    const network_table& known,
    std::optional<int> version
)
{
    if ((header && header->size() > max_terms) || body.size() > max_terms)
        return fail(errc::protocol, "the 402 is longer than {} bytes", max_terms);
    if (const auto agreed = header ? check_agreement(*header, body, known) : result<void>(); !agreed)
        return agreed.error();
    if (header && version != 1)
    {
        auto read = read_header(*header, known);
        return read ? std::move(read) : read.error().within("the header PAYMENT-REQUIRED of the 402");
    }
    if (version == 2)
        return fail(errc::protocol, "the 402 has no header PAYMENT-REQUIRED, so it is none of x402 v2");
    auto read = read_body(body, 1, known);
    if (read)
        return read;
    return read.error().within(
        header ? "the body of the 402, which is to be one of x402 v1"
               : "the 402 has no header PAYMENT-REQUIRED (x402 v2), and its body is none of x402 v1"
    );
}

std::string words_in_terms(std::string_view header)
{
    const auto top = header.size() <= max_terms ? object_in(header) : fail(errc::protocol, "too long");
    return top ? std::string(text_of(*top, "error")) : std::string();
}

}  // namespace portitor::x402
