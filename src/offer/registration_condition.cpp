#include "offer/registration_condition.hpp"

#include "offer/chains.hpp"
#include "offer/children.hpp"
#include "offer/conditions.hpp"

#include <portitor/api/registration_request.hpp>

namespace portitor::offer {

namespace because = api::because;
namespace condition_type = api::condition_type;

namespace {

kube::condition judge_registration(const kube::object& live, bool enabled)
{
    constexpr std::string_view type = condition_type::registered;
    const api::registration_state state = api::read_registration_state(live);
    const std::string why = state.error_message.empty() ? "no reason given" : state.error_message;
    if (enabled && live.meta.deleted)
        return make_condition(
            type,
            "Unknown",
            because::pending,
            "the registration's request was deleted; it is being made again"
        );
    if (!enabled)
    {
        if (state.phase == api::registration_phase::failed)
            return make_condition(
                type,
                "False",
                because::retirement_failed,
                "agent {} could not be retired: {}; see that the registrar's account has funds and its chain "
                "answers",
                state.agent_id,
                why
            );
        return make_condition(type, "Unknown", because::retiring, "the registration is being retired");
    }
    const std::string chain = kube::string_at(live.spec(), "chain");
    switch (state.phase)
    {
    case api::registration_phase::confirmed:
        return make_condition(
            type, "True", because::confirmed, "registered on {} as agent {}", chain, state.agent_id
        );
    case api::registration_phase::off_chain_only:
        return make_condition(
            type,
            "True",
            because::off_chain_only,
            "nothing is on chain: {}; the offer is sold all the same",
            why
        );
    case api::registration_phase::failed:
        return make_condition(
            type,
            "False",
            because::failed,
            "registration on {} failed: {}; it is tried again, and the offer is sold all the same. See "
            "that the registrar's account has funds and its chain answers",
            chain,
            why
        );
    case api::registration_phase::submitted:
        return make_condition(
            type, "Unknown", because::submitted, "transaction {} waits for its confirmations", state.tx_hash
        );
    default:
        return make_condition(
            type,
            "Unknown",
            because::pending,
            "the registrar has not taken it up yet; if this lasts, see that it runs"
        );
    }
}

}  // namespace

kube::condition judge_registered(const std::vector<kube::condition>& conditions, const evidence& all)
{
    constexpr std::string_view type = condition_type::registered;
    const child& seen = all.seen_of(child_kind::registration);
    const kube::object_ptr& live = seen.live;
    const bool taken = live && !seen.ours;
    if (!all.offer().spec)
        return make_condition(
            type,
            "Unknown",
            because::invalid_spec,
            "a registration that exists is kept until the spec can be read"
        );
    const api::registration& wanted = all.offer().spec->registration;
    if (!wanted.enabled && (!live || taken))
        return make_condition(type, "True", because::disabled, "spec.registration.enabled is false");
    if (taken)
        return make_condition(
            type, "False", because::name_taken, "{}", taken_message(*live, all.offer().meta)
        );
    if (!live && all.settings.gateway.public_url.empty())
        return make_condition(
            type,
            "False",
            because::no_public_url,
            "a registration names the public address of its document, and the operator set none: start the "
            "controller "
            "with --public-url"
        );
    const config::chain* chain = find_chain(wanted.chain, all.settings);
    if (!live && !chain && wanted.chain.empty())
        return make_condition(
            type, "True", because::off_chain_only, "nothing is on chain: the operator configured no chain"
        );
    if (wanted.enabled && !chain)
        return make_condition(
            type,
            "False",
            because::unknown_chain,
            "spec.registration.chain: \"{}\" is not one of the operator's chains; write one that is, or "
            "have the operator add it to \"chains\"",
            wanted.chain
        );
    if (live)
        return judge_registration(*live, wanted.enabled);
    if (holds_for_ready(conditions))
        return make_condition(type, "Unknown", because::pending, "the registration is being requested");
    return make_condition(
        type, "Unknown", because::waiting_for_route, "the offer is registered once it is published and sold"
    );
}

}  // namespace portitor::offer
