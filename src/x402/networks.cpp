#include <portitor/evm/address.hpp>
#include <portitor/x402/networks.hpp>

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace portitor::x402 {

namespace {

struct network_row
{
    const char* v1_name;
    const char* caip2;
    std::uint64_t chain_id;
    const char* aliases;  // separated by spaces
};

struct token_row
{
    const char* caip2;
    const char* symbol;
    const char* address;
    const char* name;
    const char* version;
    unsigned decimals;
    transfer_method method;
};

constexpr auto eip3009 = transfer_method::eip3009;
constexpr auto permit2 = transfer_method::permit2;

// A v1 name stands only where the v1 client (x402-fetch 1.2.0) knows it: it refuses a whole 402 for one
// unknown name.
// clang-format off
constexpr network_row network_rows[] = {
    {"base", "eip155:8453", 8453, "base-mainnet"},
    {"base-sepolia", "eip155:84532", 84532, ""},
    {"", "eip155:1", 1, "ethereum ethereum-mainnet mainnet"},
    {"", "eip155:11155111", 11155111, "sepolia ethereum-sepolia"},
    {"polygon", "eip155:137", 137, "polygon-mainnet"},
    {"polygon-amoy", "eip155:80002", 80002, ""},
    {"avalanche", "eip155:43114", 43114, "avalanche-mainnet"},
    {"avalanche-fuji", "eip155:43113", 43113, ""},
    {"", "eip155:42161", 42161, "arbitrum-one arbitrum"},
    {"", "eip155:421614", 421614, "arbitrum-sepolia"},
    {"sei", "eip155:1329", 1329, ""},
    {"sei-testnet", "eip155:1328", 1328, ""},
    {"", "eip155:143", 143, "monad"},
    {"", "eip155:42220", 42220, "celo"},
    {"", "eip155:988", 988, "stable"},
    {"", "eip155:2201", 2201, "stable-testnet"},
    {"", "eip155:14", 14, "flare"},
    {"", "eip155:4326", 4326, "megaeth"},
    {"abstract", "eip155:2741", 2741, ""},
    {"abstract-testnet", "eip155:11124", 11124, ""},
    {"iotex", "eip155:4689", 4689, ""},
    {"peaq", "eip155:3338", 3338, ""},
    {"story", "eip155:1514", 1514, ""},
    {"educhain", "eip155:41923", 41923, ""},
    {"skale-base-sepolia", "eip155:324705682", 324705682, ""},
    {"solana", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", 0, ""},
    {"solana-devnet", "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", 0, ""},
};

// Mind the names: USDC signs as "USD Coin" on most chains and as "USDC" on the others.
constexpr token_row token_rows[] = {
    {"eip155:8453", "USDC", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "USD Coin", "2", 6, eip3009},
    {"eip155:84532", "USDC", "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "USDC", "2", 6, eip3009},
    {"eip155:84532", "OBOL", "0x0a09371a8b011d5110656ceBCc70603e53FD2c78", "Obol Network", "1", 18, permit2},
    {"eip155:1", "USDC", "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "USD Coin", "2", 6, eip3009},
    {"eip155:1", "OBOL", "0x0B010000b7624eb9B3DfBC279673C76E9D29D5F7", "Obol Network", "1", 18, permit2},
    {"eip155:43113", "USDC", "0x5425890298aed601595a70AB815c96711a31Bc65", "USD Coin", "2", 6, eip3009},
    {"eip155:43114", "USDC", "0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E", "USD Coin", "2", 6, eip3009},
    {"eip155:137", "USDC", "0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359", "USD Coin", "2", 6, eip3009},
    {"eip155:80002", "USDC", "0x41E94Eb019C0762f9Bfcf9Fb1E58725BfB0e7582", "USDC", "2", 6, eip3009},
    {"eip155:42161", "USDC", "0xaf88d065e77c8cC2239327C5EDb3A432268e5831", "USD Coin", "2", 6, eip3009},
    {"eip155:421614", "USDC", "0x75faf114eafb1BDbe2F0316DF893fd58CE46AA4d", "USD Coin", "2", 6, eip3009},
    {"eip155:1329", "USDC", "0xe15fC38F6D8c56aF07bbCBe3BAf5708A2Bf42392", "USDC", "2", 6, eip3009},
    {"eip155:1328", "USDC", "0x4fCF1784B31630811181f670Aea7A7bEF803eaED", "USDC", "2", 6, eip3009},
    {"eip155:143", "USDC", "0x754704Bc059F8C67012fEd69BC8A327a5aafb603", "USDC", "2", 6, eip3009},
    {"eip155:42220", "USDC", "0xcebA9300f2b948710d2653dD7B07f33A8B32118C", "USDC", "2", 6, eip3009},
    {"eip155:988", "USDT0", "0x779Ded0c9e1022225f8E0630b35a9b54bE713736", "USDT0", "1", 6, eip3009},
    {"eip155:2201", "USDT0", "0x78Cf24370174180738C5B8E352B6D14c83a6c9A9", "USDT0", "1", 6, eip3009},
    {"eip155:14", "USDT0", "0xe7cd86e13AC4309349F30B3435a9d337750fC82D", "USD\u20AE0", "1", 6, eip3009},
    {"eip155:4326", "USDM", "0xFAfDdbb3FC7688494971a79cc65DCa3EF82079E7", "MegaUSD", "1", 18, permit2},
};
// clang-format on

constexpr std::uint64_t test_networks[] = {
    84532,     // Base Sepolia
    11155111,  // Ethereum Sepolia
    80002,     // Polygon Amoy
    43113,     // Avalanche Fuji
    421614,    // Arbitrum Sepolia
    1328,      // Sei testnet
    2201,      // Stable testnet
    11124,     // Abstract testnet
    31337,     // anvil and Hardhat, on somebody's own machine
    1337,      // Ganache and geth's --dev, likewise
};

std::vector<std::string> words(std::string_view text)
{
    std::vector<std::string> out;
    while (!text.empty())
    {
        const auto end = std::min(text.find(' '), text.size());
        out.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

bool same_address(std::string_view left, std::string_view right)
{
    const auto a = evm::address::parse(left);
    const auto b = evm::address::parse(right);
    return a && b && *a == *b;
}

result<void> check(const network& entry)
{
    const auto colon = entry.caip2.find(':');
    if (colon == 0 || colon == std::string::npos || colon + 1 == entry.caip2.size())
        return fail(errc::invalid, "network \"{}\" is not a CAIP-2 name such as eip155:8453", entry.caip2);
    if (entry.v1_name.find(':') != std::string::npos)
        return fail(errc::invalid, "network {}: an x402 v1 name has no colon", entry.caip2);
    for (const std::string& alias : entry.aliases)
        if (alias.empty() || alias.find(':') != std::string::npos)
            return fail(errc::invalid, "network {}: an alias is a name without a colon", entry.caip2);
    for (const token& each : entry.tokens)
    {
        if (!evm::address::parse(each.address))
            return fail(
                errc::invalid,
                "network {}: token address \"{}\" is not \"0x\" and 40 digits",
                entry.caip2,
                each.address
            );
        if (each.name.empty() || each.version.empty())
            return fail(
                errc::invalid,
                "network {}: token {} needs the name and version of its EIP-712 domain",
                entry.caip2,
                each.address
            );
    }
    return {};
}

}  // namespace

const char* to_string(transfer_method method) noexcept
{
    return method == transfer_method::permit2 ? "permit2" : "eip3009";
}

const token* network::find_token(std::string_view address_or_symbol) const
{
    for (const token& each : tokens)
        if (each.symbol == address_or_symbol || same_address(each.address, address_or_symbol))
            return &each;
    return nullptr;
}

network_table network_table::built_in()
{
    network_table table;
    for (const network_row& row : network_rows)
    {
        network entry;
        entry.caip2 = row.caip2;
        entry.v1_name = row.v1_name;
        entry.chain_id = row.chain_id;
        entry.aliases = words(row.aliases);
        for (const token_row& each : token_rows)
            if (entry.caip2 == each.caip2)
                entry.tokens.push_back(
                    {each.symbol, each.address, each.name, each.version, each.decimals, each.method}
                );
        if (auto added = table.add(std::move(entry)); !added)
            throw std::logic_error("the built-in network table is wrong: " + added.error().message());
    }
    return table;
}

result<void> network_table::add(network entry)
{
    if (auto checked = check(entry); !checked)
        return checked;

    const auto known = by_name_.find(entry.caip2);
    const std::size_t index = known == by_name_.end() ? networks_.size() : known->second;
    std::vector<std::string> names = entry.aliases;
    names.push_back(entry.caip2);
    if (!entry.v1_name.empty())
        names.push_back(entry.v1_name);
    for (const std::string& name : names)
        if (const auto other = by_name_.find(name); other != by_name_.end() && other->second != index)
            return fail(
                errc::conflict,
                "network {}: the name \"{}\" already means {}",
                entry.caip2,
                name,
                networks_[other->second].caip2
            );

    for (std::string& name : names)
        by_name_.emplace(std::move(name), index);
    if (index == networks_.size())
    {
        networks_.push_back(std::move(entry));
        return {};
    }
    network& into = networks_[index];
    if (!entry.v1_name.empty())
        into.v1_name = std::move(entry.v1_name);
    if (entry.chain_id != 0)
        into.chain_id = entry.chain_id;
    for (std::string& alias : entry.aliases)
        if (std::find(into.aliases.begin(), into.aliases.end(), alias) == into.aliases.end())
            into.aliases.push_back(std::move(alias));
    for (token& each : entry.tokens)
    {
        const auto same = std::find_if(into.tokens.begin(), into.tokens.end(), [&](const token& other) {
            return same_address(other.address, each.address);
        });
        if (same == into.tokens.end())
            into.tokens.push_back(std::move(each));
        else
            *same = std::move(each);
    }
    return {};
}

const network* network_table::find(std::string_view name) const
{
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &networks_[found->second];
}

bool is_test_network(std::uint64_t chain_id) noexcept
{
    return std::find(std::begin(test_networks), std::end(test_networks), chain_id) != std::end(test_networks);
}

}  // namespace portitor::x402
