#include "roles/registrar/permission.hpp"

#include <portitor/config/find_chain.hpp>

#include <algorithm>

namespace portitor::registrar {

namespace {

/// Judges one request; what has been found out so far is in its members.
class judge
{
public:
    using answer = std::variant<permission, off_chain>;

    judge(
        const api::registration_request& request,
        const x402::network_table& networks,
        const config::registrar_lists& lists
    )
        : request_(request), networks_(networks), lists_(lists), network_(networks.find(request.chain))
    {}

    answer decide(const config::chain_list& chains, bool has_operator_key) const
    {
        permission out;
        out.chain = is_evm(network_) ? config::find_chain(request_.chain, chains, networks_) : nullptr;
        if (!out.chain)
            return no_chain();
        out.chain_id = network_->chain_id;
        const auto registry = evm::address::parse(out.chain->registry);
        const auto wanted = evm::address::parse(request_.registry);
        if (!registry || !wanted || *registry != *wanted)
            return other_registry(*out.chain);
        out.registry = *registry;
        const bool has_own_key = request_.private_key_secret.has_value();
        if (out.chain->rpc_urls.empty())
            return no_node(*out.chain, has_own_key || has_operator_key);
        if (has_own_key && !may_sign_for_itself())
            return key_not_allowed();
        if (!has_own_key && !has_operator_key)
            return no_key();
        out.key = has_own_key ? key_source::own : key_source::operators;
        if (request_.agent_id.empty())
            return out;
        const config::identity_entry* entry = find_identity();
        // Whoever has a key may do with its agents what he likes.
        if (!entry && !has_own_key)
            return identity_not_allowed();
        out.hand_back = entry && entry->hand_back;
        return out;
    }

private:
    static bool is_evm(const x402::network* network) { return network && network->chain_id != 0; }

    bool is_meant(const std::string& name) const
    {
        return is_evm(network_) && networks_.find(name) == network_;
    }

    bool may_sign_for_itself() const
    {
        const config::signer_entry own{request_.meta.ns, request_.private_key_secret->name};
        return std::find(lists_.signers.begin(), lists_.signers.end(), own) != lists_.signers.end();
    }

    const config::identity_entry* find_identity() const
    {
        const auto id = parse_u256(request_.agent_id);
        const auto at =
            std::find_if(lists_.identities.begin(), lists_.identities.end(), [&](const auto& each) {
                return id && each.agent_id == *id && each.ns == request_.meta.ns && is_meant(each.chain);
            });
        return at == lists_.identities.end() ? nullptr : &*at;
    }

    off_chain no_chain() const
    {
        if (!is_evm(network_))
            return {
                "NoChain",
                fmt::format(
                    "{} is no chain of the EVM that is known here: the operator adds it to the lists "
                    "networks and chains, or the offer names another one (spec.registration.chain)",
                    request_.chain
                )};
        return {
            "NoChain",
            fmt::format(
                "the operator's list chains has no {} with a registry: the operator adds it there, or the "
                "offer names another chain (spec.registration.chain)",
                request_.chain
            )};
    }

    off_chain other_registry(const config::chain& at) const
    {
        return {
            "RegistryNotAllowed",
            fmt::format(
                "the request is for registry {}, and the operator's for {} is {}: nothing is sent. Are "
                "controller and registrar configured alike?",
                request_.registry,
                at.name,
                at.registry
            ),
            false};
    }

    static off_chain no_node(const config::chain& at, bool has_key)
    {
        return {
            "NoNode",
            fmt::format(
                "no node of {} is known, so nothing is registered there: the operator gives it a rpcURL in "
                "the list chains{}",
                at.name,
                has_key ? "" : ", and the registrar a key (--key-file or --signer-url)"
            )};
    }

    static off_chain no_key()
    {
        return {
            "NoKey",
            "the registrar has no key to sign with, so nothing is registered on chain: the operator gives "
            "it one (--key-file with --key-password-file, or --signer-url with --signer-address)"};
    }

    off_chain key_not_allowed() const
    {
        const std::string& ns = request_.meta.ns;
        const std::string& secret = request_.private_key_secret->name;
        return {
            "KeyNotAllowed",
            fmt::format(
                "Secret {0}/{1} may not be signed with: the operator adds {{namespace: {0}, secret: {1}}} to "
                "the list signers, or the offer goes without spec.registration.privateKeySecret",
                ns,
                secret
            ),
            false};
    }

    off_chain identity_not_allowed() const
    {
        return {
            "IdentityNotAllowed",
            fmt::format(
                "agent {0} of {1} is not given to namespace {2}: the operator adds {{chain: {1}, agentId: "
                "\"{0}\", namespace: {2}}} to the list identities, or the offer goes without "
                "spec.registration.agentId",
                request_.agent_id,
                request_.chain,
                request_.meta.ns
            ),
            false};
    }

    const api::registration_request& request_;
    const x402::network_table& networks_;
    const config::registrar_lists& lists_;
    const x402::network* network_;
};

}  // namespace

std::variant<permission, off_chain> judge_permission(
    const api::registration_request& request,
    const config::chain_list& chains,
    const x402::network_table& networks,
    const config::registrar_lists& lists,
    bool has_operator_key
)
{
    return judge(request, networks, lists).decide(chains, has_operator_key);
}

}  // namespace portitor::registrar
