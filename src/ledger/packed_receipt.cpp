#include "ledger/packed_receipt.hpp"

#include <portitor/x402/base64.hpp>

namespace portitor::ledger {

namespace {

constexpr char usual = '=';  // which begins no base64

// As the gate makes them, but for what a facilitator adds.
std::string up_to_network(const receipt_facts& row)
{
    std::string out = R"({"success":true,"transaction":")";
    out.append(row.transaction).append(R"(","network":")");
    return out;
}

std::string from_network_on(const receipt_facts& row)
{
    std::string out = R"(","payer":")";
    out.append(row.payer).append(R"("})");
    return out;
}

}  // namespace

std::string packed_receipt(std::string_view receipt, const receipt_facts& row)
{
    std::string whole(receipt);
    if (receipt.empty())
        return whole;
    const auto text = x402::decode_base64(receipt);
    const std::string before = up_to_network(row);
    const std::string after = from_network_on(row);
    // The decoder also takes what was not padded, which would come back otherwise.
    if (!text || receipt.size() % 4 != 0 || text->size() < before.size() + after.size() ||
        !text->starts_with(before) || !text->ends_with(after))
        return whole;
    const std::string_view network =
        std::string_view(*text).substr(before.size(), text->size() - before.size() - after.size());
    // "=" alone stands for the row's.
    if (network.empty())
        return whole;
    std::string out(1, usual);
    if (network != row.network)
        out += network;
    return out;
}

std::string unpacked_receipt(std::string_view packed, const receipt_facts& row)
{
    if (!packed.starts_with(usual))
        return std::string(packed);
    const std::string_view named = packed.substr(1);
    std::string text = up_to_network(row);
    text.append(named.empty() ? row.network : named).append(from_network_on(row));
    return x402::encode_base64(text);
}

}  // namespace portitor::ledger
