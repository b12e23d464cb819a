#include "roles/verifier/settlement_nodes.hpp"

namespace portitor::verifier {

result<std::map<std::string, x402::settlement_node>> settlement_nodes(
    http::client& client,
    const timekeeper& time,
    const config::chain_list& chains,
    const x402::network_table& networks
)
{
    std::map<std::string, x402::settlement_node> out;
    const auto allowed =
        chains.allow_insecure ? evm::rpc_transport::http_too : evm::rpc_transport::https_only;
    for (const config::chain& each : chains.entries)
    {
        if (each.rpc_urls.empty())
            continue;
        const x402::network* known = networks.find(each.name);
        if (known == nullptr)
            return fail(errc::invalid, "chain {}: no such network is known", each.name);
        if (known->chain_id == 0)
            return fail(errc::invalid, "chain {}: rpcURL is for chains of the EVM only", each.name);
        auto node = evm::node::make(client, time, known->chain_id, each.rpc_urls, allowed);
        if (!node)
            return node.error().within("chain " + each.name + ": rpcURL");
        x402::settlement_node made{std::move(*node), each.confirmations, each.check_receipts};
        out.insert_or_assign(known->caip2, std::move(made));
    }
    return out;
}

}  // namespace portitor::verifier
