#include <portitor/x402/words.hpp>

#include <fmt/format.h>

#include <cctype>

namespace portitor::x402 {

std::string name_in_words(const network& which)
{
    if (which.v1_name.empty())
        return which.caip2;
    std::string out;
    bool begins = true;
    for (const char c : which.v1_name)
    {
        out += c == '-' ? ' ' : begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
        begins = c == '-';
    }
    return out;
}

std::string amount_in_words(
    const u256& atomic, std::string_view network, std::string_view asset, const network_table& known
)
{
    const auto* where = known.find(network);
    const token* what = where ? where->find_token(asset) : nullptr;
    const std::string place = where ? name_in_words(*where) : std::string(network);
    if (!what)
        return fmt::format("{} atomic units of {} on {}", to_string(atomic), asset, place);
    return fmt::format("{} {} on {}", decimal_amount(atomic, what->decimals), what->symbol, place);
}

}  // namespace portitor::x402
