#include "config/transport.hpp"
#include "config/yaml_list.hpp"

#include <portitor/config/chains.hpp>
#include <portitor/config/common_options.hpp>
#include <portitor/config/setters.hpp>
#include <portitor/evm/spelled_address.hpp>
#include <portitor/http/message.hpp>
#include <portitor/x402/networks.hpp>

#include <yaml-cpp/yaml.h>

#include <algorithm>

namespace portitor::config {

namespace {

constexpr unsigned gwei_decimals = 9;  // of a wei
constexpr unsigned ether_decimals = 18;
constexpr std::uint32_t most_confirmations = 10'000;
constexpr std::size_t most_nodes = 16;

/// One entry of the list, whose errors name its line and chain, and none of its URLs: there may be keys in
/// them.
class chain_reader
{
public:
    chain_reader(const YAML::Node& entry, std::string name) : entry_(entry), name_(std::move(name)) {}

    /// Changes what the entry has something to say about; nodes are those that it names.
    result<void> read(chain& into) const
    {
        for (const auto step :
             {&chain_reader::read_registry,
              &chain_reader::read_nodes,
              &chain_reader::read_numbers,
              &chain_reader::read_check,
              &chain_reader::read_document})
        {
            auto done = (this->*step)(into);
            if (!done)
                return done;
        }
        return {};
    }

private:
    error wrong(const char* key, std::string_view expected) const
    {
        return fail(
            errc::invalid,
            "line {}: chain {}: {}{}{}",
            entry_[key].Mark().line + 1,
            name_,
            key,
            expected.starts_with(' ') ? "" : ": ",
            expected
        );
    }

    result<void> read_registry(chain& into) const
    {
        auto text = optional_text(entry_, "registry");
        if (!text || text->empty())
            return text ? result<void>() : text.error();
        const auto address = evm::read_spelled_address(*text);
        if (!address)
            return wrong("registry", address.error().message());
        if (address->is_zero())
            return wrong("registry", "the zero address is no contract");
        into.registry = std::move(*text);
        return {};
    }

    result<void> read_nodes(chain& into) const
    {
        const bool has_list = entry_["rpcURLs"].IsDefined();
        if (has_list && entry_["rpcURL"].IsDefined())
            return wrong("rpcURLs", "rpcURL is given too; one of the two is enough");
        const char* key = has_list ? "rpcURLs" : "rpcURL";
        auto one = optional_text(entry_, "rpcURL");
        auto all = texts(entry_, "rpcURLs");
        if (!one || !all)
            return !one ? one.error() : all.error();
        if (!one->empty())
            all->push_back(std::move(*one));
        if (all->size() > most_nodes)
            return wrong(key, fmt::format("there are more than {}", most_nodes));
        into.rpc_urls.clear();
        for (const std::string& each : *all)
        {
            std::string url;
            if (!set_url(url)(each))
                return wrong(key, " is not an absolute http or https URL");
            if (std::find(into.rpc_urls.begin(), into.rpc_urls.end(), url) != into.rpc_urls.end())
                return wrong(key, "one of the URLs comes twice");
            into.rpc_urls.push_back(std::move(url));
        }
        return {};
    }

    result<void> read_numbers(chain& into) const
    {
        auto confirmations = read_count("confirmations", into.confirmations);
        auto transactions = read_count("dailyTransactions", into.daily_transactions);
        if (!confirmations || !transactions)
            return !confirmations ? confirmations : transactions;
        if (into.confirmations < 1 || into.confirmations > most_confirmations)
            return wrong("confirmations", fmt::format("a number from 1 to {} is wanted", most_confirmations));
        auto fee = read_amount("maxFeePerGas", gwei_decimals, "gwei", into.max_fee_per_gas);
        auto spend = read_amount("dailySpend", ether_decimals, "ether", into.daily_spend);
        if (!fee || !spend)
            return !fee ? fee : spend;
        if (into.max_fee_per_gas == 0)
            return wrong("maxFeePerGas", "no transaction is sent for nothing");
        return {};
    }

    result<void> read_count(const char* key, std::uint32_t& into) const
    {
        auto text = optional_text(entry_, key);
        if (!text || !entry_[key].IsDefined())
            return text ? result<void>() : text.error();
        auto taken = set_number(into)(*text);
        return taken ? taken : wrong(key, taken.error().message());
    }

    /// A decimal number of `unit`, which is no more than can be meant: so sums of it cannot overflow.
    result<void> read_amount(const char* key, unsigned decimals, const char* unit, u256& into) const
    {
        auto text = optional_text(entry_, key);
        if (!text || !entry_[key].IsDefined())
            return text ? result<void>() : text.error();
        const auto amount = atomic_units(*text, decimals);
        if (!amount)
            return wrong(
                key, fmt::format("a decimal number of {} is wanted: {}", unit, amount.error().message())
            );
        if (*amount > atomic_units("1000000000", decimals).value())
            return wrong(key, fmt::format("{} {} is more than there can be", *text, unit));
        into = *amount;
        return {};
    }

    result<void> read_check(chain& into) const
    {
        auto text = optional_text(entry_, "checkReceipts");
        if (!text || !entry_["checkReceipts"].IsDefined())
            return text ? result<void>() : text.error();
        if (!set_bool(into.check_receipts)(*text))
            return wrong("checkReceipts", "true or false is wanted");
        if (into.check_receipts && into.rpc_urls.empty())
            return wrong("checkReceipts", "it needs a node that is asked: rpcURL");
        return {};
    }

    result<void> read_document(chain& into) const
    {
        auto text = optional_text(entry_, "document");
        if (!text || !entry_["document"].IsDefined())
            return text ? result<void>() : text.error();
        if (*text != "https" && *text != "onchain")
            return wrong("document", "https or onchain is wanted");
        into.document = *text == "onchain" ? document_place::on_chain : document_place::https;
        return {};
    }

    YAML::Node entry_;
    std::string name_;
};

/// Whether two names mean one chain, as far as is known without the operator's list of networks.
bool is_same_chain(const std::string& left, const std::string& right)
{
    static const auto known = x402::network_table::built_in();
    const x402::network* network = known.find(left);
    return left == right || (network && network == known.find(right));
}

// Extends or changes the built-in ones; a new one needs a registry.
result<void> read_chains(const YAML::Node& list, std::vector<chain>& into)
{
    std::vector<std::string> seen;
    for (const auto& entry : list)
    {
        auto known = only_keys(
            entry,
            {"name",
             "registry",
             "rpcURL",
             "rpcURLs",
             "confirmations",
             "checkReceipts",
             "maxFeePerGas",
             "dailyTransactions",
             "dailySpend",
             "document"}
        );
        if (!known)
            return known;
        auto name = required_text(entry, "name");
        if (!name)
            return name.error();
        const auto means = [&](const std::string& other) { return is_same_chain(*name, other); };
        const int line = entry.Mark().line + 1;
        if (const auto twice = std::find_if(seen.begin(), seen.end(), means); twice != seen.end())
            return fail(
                errc::conflict,
                "line {}: chain {} comes twice{}",
                line,
                *name,
                *twice == *name ? std::string() : fmt::format(": {} is the same one", *twice)
            );
        seen.push_back(*name);
        auto at = std::find_if(into.begin(), into.end(), [&](const chain& each) { return means(each.name); });
        if (at == into.end())
            at = into.insert(into.end(), chain{*name, {}});
        auto read = chain_reader(entry, *name).read(*at);
        if (!read)
            return read;
    }
    return {};
}

/// Of a chain whose coin is cheap, so that it takes more of it.
chain of_cheap_coin(std::string name, std::string registry)
{
    chain out{std::move(name), std::move(registry)};
    out.max_fee_per_gas = atomic_units("1000", gwei_decimals).value();
    out.daily_spend = atomic_units("5", ether_decimals).value();
    return out;
}

}  // namespace

// The identity registries of ERC-8004: one address on every mainnet, another on every testnet.
std::vector<chain> built_in_chains()
{
    const std::string mainnet = "0x8004A169FB4a3325136EB29fA0ceB6D2e539a432";
    const std::string testnet = "0x8004A818BFB912233c491871b3d84c89A494BD9e";
    return {
        {"base-sepolia", testnet},
        {"base", mainnet},
        {"ethereum", mainnet},
        of_cheap_coin("polygon", mainnet),
        of_cheap_coin("avalanche", mainnet),
        of_cheap_coin("polygon-amoy", testnet),
    };
}

void chain_list::declare(loader& into)
{
    into.add(insecure_option(allow_insecure));
    into.add(section{
        "chains", read_list([this](const YAML::Node& list) { return read_chains(list, entries); }), [this] {
            entries = built_in_chains();
        }});
}

result<void> chain_list::resolve()
{
    for (const chain& each : entries)
    {
        if (each.registry.empty() && each.rpc_urls.empty())
            return fail(errc::invalid, "chain {}: neither \"registry\" nor \"rpcURL\" is given", each.name);
        // What the node says is believed. Its URL is not told: there may be a key in it.
        for (const std::string& url : each.rpc_urls)
        {
            const auto node = http::parse_url(url);
            if (node && !may_be_asked(node->origin, allow_insecure))
                return fail(errc::invalid, "chain {}: rpcURL {}", each.name, wants_https);
        }
    }
    return {};
}

}  // namespace portitor::config
