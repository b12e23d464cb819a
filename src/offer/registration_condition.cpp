#include "offer/children.hpp"
#include "offer/conditions.hpp"

namespace portitor::offer {

namespace {

kube::condition judge_registration(const kube::object& live, bool enabled)
{
    constexpr const char* type = "Registered";
    const api::registration_state state = api::read_registration_state(live);
    const std::string why = state.error_message.empty() ? "no reason given" : state.error_message;
    if (enabled && live.meta.deleted)
        return make_condition(
            type, "Unknown", "Pending", "the registration's request was deleted; it is being made again"
        );
    if (!enabled)
    {
        if (state.phase == api::registration_phase::failed)
            return make_condition(
                type,
                "False",
                "RetirementFailed",
                "agent {} could not be retired: {}; see that the registrar's account has funds and its chain "
                "answers",
                state.agent_id,
                why
            );
        return make_condition(type, "Unknown", "Retiring", "the registration is being retired");
    }
    const std::string chain = kube::string_at(live.spec(), "chain");
    switch (state.phase)
    {
    case api::registration_phase::confirmed:
        return make_condition(
            type, "True", "Confirmed", "registered on {} as agent {}", chain, state.agent_id
        );
    case api::registration_phase::off_chain_only:
        return make_condition(
            type, "True", "OffChainOnly", "nothing is on chain: {}; the offer is sold all the same", why
        );
    case api::registration_phase::failed:
        return make_condition(
            type,
            "False",
            "Failed",
            "registration on {} failed: {}; it is tried again, and the offer is sold all the same. See that "
            "the "
            "registrar's account has funds and its chain answers",
            chain,
            why
        );
    case api::registration_phase::submitted:
        return make_condition(
            type, "Unknown", "Submitted", "transaction {} waits for its confirmations", state.tx_hash
        );
    default:
        return make_condition(
            type,
            "Unknown",
            "Pending",
            "the registrar has not taken it up yet; if this lasts, see that it runs"
        );
    }
}

kube::condition registered(const std::vector<kube::condition>& conditions, const evidence& all)
{
    constexpr const char* type = "Registered";
    const kube::object_ptr& live = all.seen.registration;
    const bool taken = live && !is_ours(*live, all.offer);
    if (!all.wanted.offer)
        return make_condition(
            type, "Unknown", "InvalidSpec", "a registration that exists is kept until the spec can be read"
        );
    const api::registration& wanted = all.wanted.offer->registration;
    if (!wanted.enabled && (!live || taken))
        return make_condition(type, "True", "Disabled", "spec.registration.enabled is false");
    if (taken)
        return make_condition(type, "False", "NameTaken", "{}", taken_message(*live, all.offer));
    if (!live && all.settings.public_url.empty())
        return make_condition(
            type,
            "False",
            "NoPublicURL",
            "a registration names the public address of its document, and the operator set none: start the "
            "controller "
            "with --public-url"
        );
    const registration_chain* chain = find_chain(wanted.chain, all.settings);
    if (!live && !chain && wanted.chain.empty())
        return make_condition(
            type, "True", "OffChainOnly", "nothing is on chain: the operator configured no chain"
        );
    if (wanted.enabled && !chain)
        return make_condition(
            type,
            "False",
            "UnknownChain",
            "spec.registration.chain: \"{}\" is not one of the operator's chains; write one that is, or have "
            "the operator "
            "add it to \"chains\"",
            wanted.chain
        );
    if (live)
        return judge_registration(*live, wanted.enabled);
    if (three_hold(conditions))
        return make_condition(type, "Unknown", "Pending", "the registration is being requested");
    return make_condition(
        type, "Unknown", "WaitingForRoute", "the offer is registered once it is published and sold"
    );
}

}  // namespace

void add_registered(std::vector<kube::condition>& conditions, const evidence& all)
{
    kube::condition it = registered(conditions, all);
    it.observed_generation = all.offer.meta.generation;
    conditions.insert(conditions.end() - 1, std::move(it));
}

}  // namespace portitor::offer
