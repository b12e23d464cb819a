#include "roles/verifier/fronts/payment_page.hpp"

#include <algorithm>

namespace portitor::verifier {

namespace {

void append_escaped(std::string& out, std::string_view text)
{
    for (const char c : text)
    {
        switch (c)
        {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        default:
            out += c;
        }
    }
}

/// "0.01" for 10000 atomic units of six decimals.
std::string in_whole_units(std::string digits, unsigned decimals)
{
    if (decimals == 0)
        return digits;
    if (digits.size() <= decimals)
        digits.insert(0, decimals + 1 - digits.size(), '0');
    digits.insert(digits.size() - decimals, 1, '.');
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.')
        digits.pop_back();
    return digits;
}

}  // namespace

bool wants_page(std::string_view accept, std::string_view user_agent)
{
    return accept.find("text/html") != accept.npos && user_agent.find("Mozilla") != user_agent.npos;
}

void write_payment_page(std::string& out, const route::served_route& route, const route::terms& price)
{
    out = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width\"><title>Payment required</title>"
          "<style>body{font:16px/1.5 sans-serif;max-width:40em;margin:4em auto;padding:0 1em}</style></head>"
          "<body><h1>Payment required</h1><p>";
    append_escaped(
        out, route.description().empty() ? "This service is paid by the request." : route.description()
    );
    out += "</p><p>Price of one request: <b>";
    append_escaped(out, in_whole_units(price.amount_text, route.token().decimals));
    out += ' ';
    append_escaped(out, route.token().symbol);
    out += "</b> on ";
    const x402::network& on = route.network();
    append_escaped(out, on.v1_name.empty() ? on.caip2 : on.v1_name);
    out += ".</p><p>Programs pay by the <a href=\"https://www.x402.org\">x402</a> protocol: the header "
           "PAYMENT-REQUIRED of this answer says how.</p></body></html>\n";
}

}  // namespace portitor::verifier
