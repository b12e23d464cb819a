#include "cli/sales/money.hpp"

#include <fmt/format.h>

namespace portitor::cli::sales {

std::string known_asset::amount(const u256& atomic) const
{
    return token != nullptr ? fmt::format("{} {}", decimal_amount(atomic, token->decimals), token->symbol)
                            : fmt::format("{} units of {}", portitor::to_string(atomic), contract);
}

known_asset find_asset(const x402::network_table& table, const std::string& network, const std::string& asset)
{
    known_asset out{network, nullptr, asset};
    const x402::network* known = table.find(network);
    if (known == nullptr)
        return out;
    if (!known->v1_name.empty())
        out.network = known->v1_name;
    out.token = known->find_token(asset);
    return out;
}

}  // namespace portitor::cli::sales
