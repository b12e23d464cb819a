#include "cli/doctor/looking.hpp"
#include "cli/doctor/side_by_side.hpp"

#include <portitor/evm/address.hpp>
#include <portitor/evm/json_rpc.hpp>
#include <portitor/kube/lease_record.hpp>

#include <boost/json/array.hpp>

#include <array>
#include <set>

namespace portitor::cli::doctor {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

// What a node that refuses the range that is needed may still allow.
constexpr std::array<std::uint64_t, 2> narrower_ranges{100, 10};
// Minutes of most chains, in one question.
constexpr std::uint64_t blocks_at_once = 500;
constexpr std::int64_t lag_that_warns = 120;    // s
constexpr std::int64_t lag_that_fails = 1'200;  // s
constexpr unsigned ether_decimals = 18;
constexpr std::size_t most_accounts = 5;

/// A chain, and its node.
struct chain_node
{
    std::string label;  ///< the chain's name, and which of its nodes it is where it has several
    config::chain chain;
    const x402::network* network;  ///< null: not an entry of the list of networks
    evm::json_rpc node;
    std::vector<std::string> accounts;  ///< whose balances are looked at

    std::string check() const { return label + ": node"; }
};

/// The accounts that register on a chain: the one that was named, else those that the registrar has Leases
/// for, and those that RegistrationRequests tell of (it writes down whose transaction it is about to send).
std::vector<std::string>
accounts_on(const patient& of, const x402::network* chain, const std::vector<kube::object_ptr>& leases)
{
    if (!of.registrar.empty())
        return {of.registrar};
    if (!chain)
        return {};
    std::set<std::string> out;
    const auto add = [&](const std::string& text) {
        const auto account = evm::address::parse(text);
        if (account && out.size() < most_accounts)
            out.insert(account->to_checksum());
    };
    const std::string prefix = fmt::format("portitor-registrar-{}-", chain->chain_id);
    for (const kube::object_ptr& each : leases)
    {
        if (each->meta.name.starts_with(prefix))
            add("0x" + each->meta.name.substr(prefix.size()));
    }
    if (!of.market)
        return {out.begin(), out.end()};
    for (const auto& [key, live] : of.market->of(offer::child_kind::registration).objects().all())
    {
        const auto* meant = of.settings.lists.networks.table.find(kube::string_at(live->spec(), "chain"));
        if (meant && meant->caip2 == chain->caip2)
            add(kube::string_at(live->status(), "writeAhead.account"));
    }
    return {out.begin(), out.end()};
}

std::string text_of(const json::value& value)
{
    return value.is_string() ? std::string(value.get_string()) : std::string();
}

std::string why(const error& failure)
{
    return failure.message();
}

/// Whether it is worth going on.
asio::awaitable<bool> look_at_chain_id(const patient& of, chain_node& at, notebook& into)
{
    const auto asked = of.around.timers.now();
    const auto said = co_await at.node.call("eth_chainId", {}, of.limit);
    if (!said)
    {
        into.failure(at.check(), why(said.error()), "see rpcURL of that chain, and the key in it");
        co_return false;
    }
    const auto id = evm::parse_quantity(text_of(*said));
    if (!id)
    {
        into.failure(at.check(), "eth_chainId: the answer is no number", "rpcURL leads to something else");
        co_return false;
    }
    const std::uint64_t wanted = at.network ? at.network->chain_id : 0;
    if (wanted != 0 && *id != wanted)
    {
        into.failure(
            at.check(),
            fmt::format(
                "its node is one of chain {}, but {} is chain {}", to_string(*id), at.chain.name, wanted
            ),
            "set rpcURL to a node of that chain"
        );
        co_return false;
    }
    into.ok(
        at.check(),
        fmt::format("a node of chain {}, {}", to_string(*id), took(since(of.around.timers, asked)))
    );
    co_return true;
}

asio::awaitable<void> look_at_registry(const patient& of, chain_node& at, notebook& into)
{
    const std::string check = fmt::format("{}: registry {}", at.label, at.chain.registry);
    const auto said = co_await at.node.call("eth_getCode", {at.chain.registry, "latest"}, of.limit);
    if (!said)
        into.not_checked(check, why(said.error()));
    else if (text_of(*said).size() <= 2)
        into.failure(
            check,
            "there is no contract at that address: calls of it succeed and do nothing",
            "set registry of that chain to the identity registry of ERC-8004"
        );
    else
        into.ok(check, "a contract");
}

/// The number of the latest block; nothing where it is not known.
asio::awaitable<std::optional<std::uint64_t>> look_at_head(const patient& of, chain_node& at, notebook& into)
{
    const std::string check = at.label + ": latest block";
    const auto said = co_await at.node.call("eth_getBlockByNumber", {"latest", false}, of.limit);
    const json::object none;
    const json::object& block = said ? kube::as_object(*said) : none;
    const auto number = evm::parse_quantity(kube::string_at(block, "number"));
    const auto time = evm::parse_quantity(kube::string_at(block, "timestamp"));
    constexpr std::uint64_t most = 1ULL << 62;
    if (!said || !number || !time || *number > most || *time > most)
    {
        into.not_checked(check, said ? "the answer is no block" : why(said.error()));
        co_return std::nullopt;
    }
    const std::int64_t now = std::chrono::system_clock::to_time_t(of.around.clock.now());
    const std::int64_t lag = now - static_cast<std::int64_t>(*time);
    const std::string words = fmt::format("{}, {} s old", to_string(*number), lag);
    if (lag > lag_that_fails)
        into.failure(check, words, "the node is behind its chain, or the chain stands still");
    else if (lag > lag_that_warns || lag < -lag_that_warns)
        into.warn(check, words, "is the node synchronized? Compare the clocks, too");
    else
        into.ok(check, words);
    co_return static_cast<std::uint64_t>(*number);
}

asio::awaitable<result<void>>
try_logs(const patient& of, chain_node& at, std::uint64_t head, std::uint64_t range)
{
    // Of a contract that there is, and a topic that nobody has: nothing is found, and nothing is sent.
    const x402::token* token = at.network ? at.network->default_token() : nullptr;
    json::object filter{
        {"fromBlock", evm::to_quantity(head >= range ? head + 1 - range : 0)},
        {"toBlock", evm::to_quantity(head)},
        {"topics", json::array{"0x" + std::string(64, '0')}}};
    const std::string about = token ? token->address : at.chain.registry;
    if (!about.empty())
        filter["address"] = about;
    const auto said = co_await at.node.call("eth_getLogs", {std::move(filter)}, of.limit);
    if (!said)
        co_return said.error();
    co_return result<void>();
}

asio::awaitable<void> look_at_logs(const patient& of, chain_node& at, std::uint64_t head, notebook& into)
{
    const std::string check = at.label + ": eth_getLogs";
    const auto whole = co_await try_logs(of, at, head, blocks_at_once);
    if (whole)
    {
        into.ok(check, fmt::format("{} blocks at once", blocks_at_once));
        co_return;
    }
    for (const std::uint64_t each : narrower_ranges)
    {
        const auto part = co_await try_logs(of, at, head, each);
        if (!part)
            continue;
        into.warn(
            check,
            fmt::format("{} blocks are refused ({}), {} are not", blocks_at_once, why(whole.error()), each),
            "settlements in doubt take many questions there: a node that allows more is better"
        );
        co_return;
    }
    into.failure(
        check, why(whole.error()), "settlements in doubt cannot be looked up: name a node that allows it"
    );
}

asio::awaitable<void> look_at_balance(const patient& of, chain_node& at, std::string account, notebook& into)
{
    const std::string check = fmt::format("{}: balance of {}", at.label, account);
    const auto said = co_await at.node.call("eth_getBalance", {account, "latest"}, of.limit);
    const auto amount = said ? evm::parse_quantity(text_of(*said)) : result<u256>(said.error());
    if (!amount)
        into.not_checked(check, why(amount.error()));
    else if (*amount == 0)
        into.failure(check, "nothing: no agent can be registered", "send it some of the chain's own coin");
    else if (*amount < of.low_balance)
        into.warn(
            check,
            fmt::format(
                "{}, less than low-balance ({}): the registrar sends nothing from it",
                decimal_amount(*amount, ether_decimals),
                decimal_amount(of.low_balance, ether_decimals)
            ),
            "send it more of the chain's own coin; it goes on by itself"
        );
    else
        into.ok(check, decimal_amount(*amount, ether_decimals));
}

asio::awaitable<void> look_at(const patient& of, chain_node at, notebook& into)
{
    const bool goes_on = co_await look_at_chain_id(of, at, into);
    if (!goes_on)
        co_return;
    if (!at.chain.registry.empty())
        co_await look_at_registry(of, at, into);
    const auto head = co_await look_at_head(of, at, into);
    if (head)
        co_await look_at_logs(of, at, *head, into);
    for (const std::string& account : at.accounts)
        co_await look_at_balance(of, at, account, into);
    if (at.accounts.empty() && !at.chain.registry.empty())
        into.not_checked(
            at.label + ": balance",
            "neither a Lease nor a RegistrationRequest tells which account registers there",
            "name it with --registrar-account"
        );
}

asio::awaitable<void> look_at_node(
    const patient& of,
    config::chain which,
    std::size_t index,
    const std::vector<kube::object_ptr>& leases,
    notebook& into
)
{
    // Not by its URL, in which there may be a key.
    const std::string label =
        which.rpc_urls.size() == 1 ? which.name : fmt::format("{} (node {})", which.name, index + 1);
    const x402::network* network = of.settings.lists.networks.table.find(which.name);
    auto node = evm::json_rpc::make(of.web, which.rpc_urls[index], evm::rpc_transport::http_too);
    if (!node)
    {
        into.failure(label + ": node", why(node.error()), "see rpcURL of that chain");
        co_return;
    }
    co_await look_at(of, {label, which, network, std::move(*node), accounts_on(of, network, leases)}, into);
}

}  // namespace

asio::awaitable<void> examine_nodes(const patient& of, notebook& into)
{
    // Where they may not be listed, the area `roles` says so.
    std::vector<kube::object_ptr> leases;
    if (of.registrar.empty())
    {
        kube::selection there;
        there.ns = of.release;
        if (auto found = co_await list(of.server, kube::leases, std::move(there)))
            leases = std::move(*found);
    }
    std::vector<part> parts;
    for (const config::chain& each : of.settings.lists.chains.entries)
    {
        for (std::size_t i = 0; i < each.rpc_urls.size(); ++i)
            parts.emplace_back([&, each, i](notebook& book) {
                return look_at_node(of, each, i, leases, book);
            });
    }
    const bool has_nodes = !parts.empty();
    co_await side_by_side(into, std::move(parts));
    if (!has_nodes)
        into.info("nodes", "no chain has one (rpcURL): what became of a payment, only its facilitator tells");
}

}  // namespace portitor::cli::doctor
