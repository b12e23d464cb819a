#pragma once

#include <portitor/core/error.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// The x402 payment protocol, versions 1 and 2, as a server that sells over HTTP needs it. Knows nothing of
/// roles and nothing of any proxy: messages, matching, the facilitator's API, and the engine that turns a
/// payment into a verdict.
namespace portitor::x402 {

/// How the scheme "exact" moves a token: by the token's own EIP-3009, or through the Permit2 contract.
enum class transfer_method
{
    eip3009,
    permit2,
};

/// The value of extra.assetTransferMethod: "eip3009" or "permit2".
const char* to_string(transfer_method method) noexcept;

/// A token. `name` and `version` are its EIP-712 domain: a wrong one makes every signature invalid.
struct token
{
    std::string symbol;   ///< how people call it: "USDC"
    std::string address;  ///< "0x" and 40 digits, in its checksummed spelling
    std::string name;     ///< EIP-712 domain name, UTF-8
    std::string version;  ///< EIP-712 domain version
    unsigned decimals = 6;
    transfer_method method = transfer_method::eip3009;
};

/// A chain and the tokens known on it; the first token is the default asset.
struct network
{
    std::string caip2;                 ///< "eip155:84532"
    std::string v1_name;               ///< the name that v1 clients know; empty where there is none
    std::uint64_t chain_id = 0;        ///< 0 where the chain is not of the EVM
    std::vector<std::string> aliases;  ///< further names that people write; never sent
    std::vector<token> tokens;

    /// Null where no token is known.
    const token* default_token() const { return tokens.empty() ? nullptr : &tokens.front(); }

    /// By contract address, in any case, or by symbol. Null where there is none.
    const token* find_token(std::string_view address_or_symbol) const;
};

/// Which networks and tokens there are. Filled once at start, read from then on: pointers into it are valid
/// until the next add(). Values from the x402 SDK 2.27.0 and, for aliases and the OBOL token, from the
/// predecessor.
class network_table
{
public:
    /// The networks that Portitor knows by itself.
    static network_table built_in();

    network_table() = default;

    /// Adds a network, or extends the known one of the same CAIP-2 name: aliases are joined, tokens are
    /// appended (one with a known address replaces the known one), a v1 name and a chain id are taken where
    /// given. errc::invalid for a malformed entry, errc::conflict when a name already means another network.
    result<void> add(network entry);

    /// By CAIP-2 name, v1 name or alias, exactly as written. Null where there is none.
    const network* find(std::string_view name) const;

    const std::vector<network>& all() const noexcept { return networks_; }

private:
    std::vector<network> networks_;
    std::map<std::string, std::size_t, std::less<>> by_name_;
};

/// Whether an EVM chain is known as a test network, whose tokens are worth nothing. False for every other
/// one: what is not known may be a main network.
bool is_test_network(std::uint64_t chain_id) noexcept;

}  // namespace portitor::x402
