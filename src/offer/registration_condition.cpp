#include "offer/registration_condition.hpp"

#include "offer/chains.hpp"
#include "offer/children.hpp"
#include "offer/conditions.hpp"
#include "offer/leftover.hpp"
#include "offer/shown_text.hpp"

#include <portitor/api/registration_request.hpp>

#include <algorithm>
#include <optional>

namespace portitor::offer {

namespace because = api::because;
namespace condition_type = api::condition_type;

namespace {

constexpr std::size_t longest_words = 1024;

// What the registrar says of a request, as an offer may pass it on.
struct report
{
    explicit report(const kube::object& live) : state(api::read_registration_state(live))
    {
        const auto conditions = kube::parse_conditions(live.status());
        const kube::condition* said = kube::find_condition(conditions, condition_type::registered);
        words = shown_text(said ? said->message : state.error_message, longest_words);
        if (words.empty())
            words = shown_text(state.error_message, longest_words);
        const auto at = std::find_if(
            because::of_registrar.begin(),
            because::of_registrar.end(),
            [&](const api::reason& each) { return said && each.name == said->reason; }
        );
        if (at != because::of_registrar.end())
            why = *at;
    }

    api::registration_state state;
    std::optional<api::reason> why;  ///< what keeps it up
    std::string words;               ///< what it means and what to do

    std::string words_or(const char* otherwise) const { return words.empty() ? otherwise : words; }
};

kube::condition judge_ending_registration(const report& said)
{
    constexpr std::string_view type = condition_type::registered;
    if (said.state.phase == api::registration_phase::failed)
        return make_condition(
            type,
            "False",
            because::retirement_failed,
            "agent {} could not be retired: {}",
            said.state.agent_id,
            said.words_or("no reason given; see that the registrar's account has funds and its chain answers")
        );
    return make_condition(
        type,
        "Unknown",
        because::retiring,
        "the registration is being retired{}{}",
        said.why ? ": " : "",
        said.why ? said.words : ""
    );
}

kube::condition judge_standing_registration(const report& said, const std::string& chain)
{
    constexpr std::string_view type = condition_type::registered;
    switch (said.state.phase)
    {
    case api::registration_phase::confirmed:
        return make_condition(
            type,
            "True",
            because::confirmed,
            "registered on {} as agent {}{}{}",
            chain,
            said.state.agent_id,
            said.why ? "; its last change waits: " : "",
            said.why ? said.words : ""
        );
    case api::registration_phase::off_chain_only:
        return make_condition(
            type,
            "True",
            because::off_chain_only,
            "nothing is on chain: {}; the offer is sold all the same",
            said.words_or("no reason given")
        );
    case api::registration_phase::failed:
        return make_condition(
            type,
            "False",
            said.why.value_or(because::failed),
            "registration on {} failed: {}; the offer is sold all the same",
            chain,
            said.words_or("no reason given; see that the registrar's account has funds and its chain answers")
        );
    case api::registration_phase::submitted:
        return make_condition(
            type,
            "Unknown",
            said.why.value_or(because::submitted),
            "transaction {} waits for its confirmations{}{}",
            said.state.tx_hash,
            said.why ? ": " : "",
            said.why ? said.words : ""
        );
    default:
        // What was said of an end is not about the new beginning.
        const bool ended = said.state.phase == api::registration_phase::retired;
        const char* unseen = "the registrar has not taken it up yet; if this lasts, see that it runs";
        return make_condition(
            type,
            "Unknown",
            ended ? because::pending : said.why.value_or(because::pending),
            "{}",
            ended ? unseen : said.words_or(unseen)
        );
    }
}

kube::condition judge_registration(const kube::object& live, bool stays)
{
    if (stays && live.meta.deleted)
        return make_condition(
            condition_type::registered,
            "Unknown",
            because::pending,
            "the registration's request was deleted; it is being made again"
        );
    const report said(live);
    return stays ? judge_standing_registration(said, kube::string_at(live.spec(), "chain"))
                 : judge_ending_registration(said);
}

// Somebody else's object has the name, or the registration of an offer that is gone.
kube::condition judge_taken(const kube::object& live, const kube::object_identity& offer)
{
    constexpr std::string_view type = condition_type::registered;
    if (former_offer(live, &offer))
        return make_condition(
            type,
            "Unknown",
            because::retiring,
            "the registration of an earlier offer of this name is being ended; this one's follows"
        );
    return make_condition(type, "False", because::name_taken, "{}", taken_message(live, offer));
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
    if (!all.seen.served.request_lacks.empty())
        return make_condition(
            type,
            "False",
            because::foreign_schema,
            "the API server's RegistrationRequest lacks {}, so nothing can be registered: have the operator "
            "install this version's CRD of it (crds.install of the chart); the offer is sold all the same",
            all.seen.served.request_lacks
        );
    if (taken)
        return judge_taken(*live, all.offer().meta);
    if (!live && all.settings.gateway.public_url.empty())
        return make_condition(
            type,
            "False",
            because::no_public_url,
            "a registration names the public address of its document, and the operator set none: start the "
            "controller "
            "with --public-url"
        );
    if (wanted.enabled && !wanted.unreadable.empty())
        return make_condition(
            type,
            "False",
            because::invalid_spec,
            "{}; the offer is sold all the same, and what is registered stays as it is",
            wanted.unreadable
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
    {
        const bool elsewhere = chain && is_registered_elsewhere(*live, *chain, all.settings);
        return judge_registration(*live, wanted.enabled && !elsewhere);
    }
    if (holds_for_ready(conditions))
        return make_condition(type, "Unknown", because::pending, "the registration is being requested");
    return make_condition(
        type, "Unknown", because::waiting_for_route, "the offer is registered once it is published and sold"
    );
}

}  // namespace portitor::offer
