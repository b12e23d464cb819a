#include "cli/doctor/looking.hpp"
#include "cli/output/text.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/api/ownership.hpp>
#include <portitor/api/payment_route.hpp>
#include <portitor/api/registration_request.hpp>
#include <portitor/api/resources.hpp>

#include <algorithm>
#include <array>
#include <compare>
#include <map>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace portitor::cli::doctor {

namespace asio = boost::asio;

namespace {

/// Offers that are not Ready for the same reason.
struct group
{
    std::vector<std::string> names;
    clock::time_point oldest = clock::time_point::max();
    std::string message;      ///< of one of them
    bool is_sellers = false;  ///< to mend
};

// A new offer has its time.
constexpr std::chrono::seconds patience(60);

std::string age_text(const patient& of, clock::time_point since)
{
    return age_in_words(std::chrono::duration_cast<std::chrono::seconds>(age_of(of, since)));
}

/// The condition that tells why: the first one that Ready waits for and that is not True.
const kube::condition* cause_of(const offer::offer_record& offer)
{
    const auto& generation = offer.meta.generation;
    for (const std::string_view type : api::condition_type::needed_for_ready)
    {
        const kube::condition* said = offer.status.find_present(type, generation);
        if (said && said->status == "False" && said->reason != api::because::withheld.name)
            return said;
    }
    return offer.status.find_present(api::condition_type::ready, generation);
}

// What a seller mends himself says nothing against the installation.
constexpr std::array of_sellers{api::because::invalid_spec,        api::because::invalid_price,
                                api::because::unknown_network,     api::because::unknown_asset,
                                api::because::unsupported_asset,   api::because::unsupported_settlement,
                                api::because::wrong_checksum,      api::because::timeout_too_short,
                                api::because::unknown_facilitator, api::because::unknown_credential,
                                api::because::unhealthy,           api::because::cross_namespace_upstream,
                                api::because::host_not_allowed,    api::because::external_name_upstream,
                                api::because::too_many_offers,     api::because::not_selected,
                                api::because::path_conflict,       api::because::reserved_path,
                                api::because::name_clash,          api::because::unfit_name,
                                api::because::name_taken,          api::because::not_sold,
                                api::because::unpaid_route,        api::because::missing_model};

bool is_sellers(std::string_view reason)
{
    return std::any_of(of_sellers.begin(), of_sellers.end(), [&](const api::reason& each) {
        return each.name == reason;
    });
}

bool is_meant(const kube::condition& why)
{
    return why.reason == api::because::drained.name || why.reason == api::because::deleting.name;
}

/// The offers, or children of them, that are looked at.
template <typename All>
auto looked_at(const patient& of, const All& all)
{
    using object = std::decay_t<decltype((*all.begin()).second)>;
    std::vector<std::pair<kube::object_key, object>> out;
    for (const auto& [key, each] : all)
    {
        if (of.only_namespace.empty() || key.ns == of.only_namespace)
            out.emplace_back(key, each);
    }
    return out;
}

/// By condition and reason; counts into `ready` those that are.
std::map<std::string, group> group_offers(const patient& of, std::size_t& ready)
{
    std::map<std::string, group> out;
    for (const auto& [key, offer] : looked_at(of, of.market->offers()))
    {
        if (offer->meta.deleted || api::is_held_by_predecessor(offer->meta))
            continue;
        const auto* said = offer->status.find_present(api::condition_type::ready, offer->meta.generation);
        if (said && said->is_true())
        {
            ++ready;
            continue;
        }
        const kube::condition* why = cause_of(*offer);
        if (why && is_meant(*why))
            continue;
        const std::string cause = why ? why->type + " " + why->reason : "no condition of this generation";
        group& into = out[cause];
        into.names.push_back(key.to_string());
        into.is_sellers = why && is_sellers(why->reason);
        const auto since = why ? from_rfc3339(why->last_transition_time) : offer->meta.created;
        if (since < into.oldest)
        {
            into.oldest = since;
            into.message = why ? why->message
                               : "the controller has not looked at it: is it running, and does its "
                                 "offer-selector take the offer?";
        }
    }
    return out;
}

void tell_groups(const patient& of, notebook& into)
{
    std::size_t ready = 0;
    const auto groups = group_offers(of, ready);
    for (const auto& [cause, each] : groups)
    {
        const bool is_new = age_of(of, each.oldest) < patience;
        into.add(
            cause,
            is_new || each.is_sellers ? verdict::warning : verdict::failure,
            fmt::format(
                "{} not Ready, for {} at most: {}",
                each.names.size() == 1 ? std::string("one offer is")
                                       : fmt::format("{} offers are", each.names.size()),
                age_text(of, each.oldest),
                some_of(each.names)
            ),
            each.message
        );
    }
    if (groups.empty())
        into.ok("Ready", fmt::format("all of {} offers that are to be sold", ready));
}

// The operator's own choice, and the answer to a seller who asks.
void tell_left_out(const patient& of, notebook& into)
{
    std::vector<std::string> names;
    for (const kube::object_key& key : of.market->left_out())
    {
        if (of.only_namespace.empty() || key.ns == of.only_namespace)
            names.push_back(key.to_string());
    }
    if (!names.empty())
        into.info(
            "offer-selector",
            fmt::format("offers that it leaves out, and that nobody looks at: {}", some_of(names)),
            "label those that are to be sold: kubectl label serviceoffer NAME -n NAMESPACE KEY=VALUE"
        );
}

void tell_deletions(const patient& of, notebook& into)
{
    std::vector<std::string> late;
    for (const auto& [key, offer] : looked_at(of, of.market->offers()))
    {
        if (offer->meta.deleted && age_of(of, *offer->meta.deleted) > of.settings.deletion_deadline)
            late.push_back(fmt::format("{} ({})", key.to_string(), age_text(of, *offer->meta.deleted)));
    }
    if (!late.empty())
        into.failure(
            "deletion",
            fmt::format("{} offers wait for it longer than the deadline: {}", late.size(), some_of(late)),
            "is the controller running? kubectl describe says what it waits for; whose finalizers are left?"
        );
}

void tell_routes(const patient& of, notebook& into)
{
    const auto& routes = of.market->of(offer::child_kind::payment_route);
    if (!routes.synced())
        return into.not_checked("PaymentRoutes", "they cannot be read");
    std::vector<std::string> refused;
    std::string why;
    std::vector<std::string> by_some;
    std::string who;
    for (const auto& [key, live] : looked_at(of, routes.objects().all()))
    {
        const api::admission said = api::read_admission(*live);
        if (api::is_refused_by_some(*live))
        {
            by_some.push_back(key.to_string());
            who = said.message;
        }
        const bool is_new = age_of(of, live->meta.created) < patience;
        if (is_new || (said.admitted && said.generation == live->meta.generation))
            continue;
        refused.push_back(key.to_string());
        if (why.empty())
            why = said.message;
    }
    if (!by_some.empty())
        into.failure(
            "PaymentRoutes refused by some",
            fmt::format("{} are: {}", by_some.size(), some_of(by_some)),
            fmt::format(
                "{}; see that all verifiers run with the same configuration and files, and restart that one",
                who
            )
        );
    if (refused.empty())
        return into.ok(
            "PaymentRoutes",
            fmt::format("all are admitted, of {}", looked_at(of, routes.objects().all()).size())
        );
    into.failure(
        "PaymentRoutes",
        fmt::format("{} are not admitted: {}", refused.size(), some_of(refused)),
        why.empty() ? "no verifier has looked at them: is one running?" : why
    );
}

/// Requests that stand at the same point for the same reason.
struct standing
{
    const char* words = "";
    std::string reason;
    verdict how = verdict::warning;  ///< what is sold is sold without it

    auto operator<=>(const standing& other) const
    {
        return std::tie(reason, how) <=> std::tie(other.reason, other.how);
    }
};

// What a transaction takes by itself.
constexpr std::array ordinary{
    std::string_view("Pending"),
    std::string_view("Submitted"),
    std::string_view("Replaced"),
    std::string_view("WaitingForTurn"),
    std::string_view("Retiring")};

standing standing_of(api::registration_phase phase, const kube::condition* told)
{
    const std::string reason = told ? told->reason : "";
    if (phase == api::registration_phase::failed)
        return {"not registered", reason};
    if (phase == api::registration_phase::off_chain_only)
        return {"off chain", reason, verdict::info};
    const bool is_ordinary = std::ranges::find(ordinary, reason) != ordinary.end();
    return {"waiting", reason, is_ordinary ? verdict::info : verdict::warning};
}

void tell_registrations(const patient& of, notebook& into)
{
    const auto& requests = of.market->of(offer::child_kind::registration);
    if (!requests.synced())
        return into.not_checked("RegistrationRequests", "they cannot be read");
    std::map<standing, group> groups;
    bool is_well = true;
    auto all = looked_at(of, requests.objects().all());
    std::erase_if(all, [](const auto& each) { return api::is_predecessors(*each.second); });
    for (const auto& [key, live] : all)
    {
        const api::registration_state state = api::read_registration_state(*live);
        if (state.phase == api::registration_phase::confirmed ||
            state.phase == api::registration_phase::retired)
            continue;
        const auto conditions = kube::parse_conditions(live->status());
        const auto* told = kube::find_condition(conditions, api::condition_type::registered);
        const auto since =
            (told ? parse_rfc3339(told->last_transition_time) : std::nullopt).value_or(live->meta.created);
        const bool is_failed = state.phase == api::registration_phase::failed;
        if (!is_failed && age_of(of, since) < patience)
            continue;
        const standing now = standing_of(state.phase, told);
        is_well = is_well && now.how == verdict::info;
        group& into_group = groups[now];
        into_group.names.push_back(key.to_string());
        if (since >= into_group.oldest)
            continue;
        into_group.oldest = since;
        into_group.message = told ? told->message : state.error_message;
        if (into_group.message.empty())
            into_group.message = "the registrar has not looked at it: does it run?";
    }
    if (is_well)
        into.ok("RegistrationRequests", fmt::format("none of {} is held up", all.size()));
    for (const auto& [now, each] : groups)
        into.add(
            "RegistrationRequests" + (now.reason.empty() ? "" : " " + now.reason),
            now.how,
            fmt::format(
                "{} {}, for {} at most: {}",
                each.names.size() == 1 ? std::string("one is") : fmt::format("{} are", each.names.size()),
                now.words,
                age_text(of, each.oldest),
                some_of(each.names)
            ),
            each.message
        );
}

}  // namespace

asio::awaitable<void> examine_offers(const patient& of, notebook& into)
{
    if (!of.market)
    {
        into.not_checked("offers", of.no_market);
        co_return;
    }
    tell_groups(of, into);
    tell_left_out(of, into);
    tell_deletions(of, into);
    tell_routes(of, into);
    tell_registrations(of, into);
}

}  // namespace portitor::cli::doctor
