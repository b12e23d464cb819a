#include "offer/conditions.hpp"

#include "offer/naming.hpp"

#include <algorithm>

namespace portitor::offer {

namespace because = api::because;
namespace condition_type = api::condition_type;

namespace {

// Where the Service leads is for who writes its EndpointSlices to say, and the controller reaches more than
// they do: whether something answers there is told, and nothing of what.
std::string_view words_of_failure(const std::string& failure, service_nature of)
{
    return of == service_nature::by_hand ? std::string_view("no answer with 2xx") : failure;
}

}  // namespace

kube::condition judge_model(const evidence& all)
{
    constexpr std::string_view type = condition_type::model_ready;
    const api::service_offer& offer = *all.offer().spec;
    const auto target = model_of(offer);
    if (!target)
        return make_condition(
            type,
            "False",
            because::missing_model,
            "spec.model.name is missing: write the model that the upstream serves"
        );
    switch (all.seen.model.said)
    {
    case model_listing::verdict::listed:
        return make_condition(
            type, "True", because::listed, "the runtime at {} lists model {}", target->base_url, target->model
        );
    case model_listing::verdict::missing:
        return make_condition(
            type,
            "False",
            because::not_listed,
            "the runtime at {} does not list model {}; load it there, or correct spec.model.name",
            target->base_url,
            target->model
        );
    case model_listing::verdict::unreadable:
        return make_condition(
            type,
            "False",
            because::runtime_unreadable,
            "the models of the runtime at {} cannot be read: {}; see that spec.model.runtime says what runs "
            "there",
            target->base_url,
            words_of_failure(all.seen.model.failure, all.seen.service)
        );
    case model_listing::verdict::unknown:
        break;
    }
    if (auto last = last_finding(
            all.offer(), type, {because::listed, because::not_listed, because::runtime_unreadable}
        ))
        return *last;
    return make_condition(
        type, "Unknown", because::asking, "the runtime at {} is being asked for its models", target->base_url
    );
}

kube::condition judge_upstream(const evidence& all)
{
    constexpr std::string_view type = condition_type::upstream_healthy;
    const auto& blocked = all.wanted.blocked;
    if (blocked && blocked->condition == type)
        return blocked_condition(type, *blocked);
    if (!all.offer().spec)
        return make_condition(
            type, "Unknown", because::invalid_spec, "the upstream is probed once the spec can be read"
        );
    const api::service_offer& offer = *all.offer().spec;
    if (blocked && !is_upstream_asked(offer, all.seen))
        return make_condition(
            type,
            "Unknown",
            because::withheld,
            "the upstream is not probed while the offer is withheld: see condition {} ({})",
            blocked->condition,
            blocked->reason
        );
    const std::string url = upstream_url(offer);
    const probe_result& probe = all.seen.probe;
    if (probe.health == probe_result::verdict::healthy)
        return make_condition(type, "True", because::healthy, "{} answers", url);
    if (probe.health == probe_result::verdict::unhealthy)
        return make_condition(
            type,
            "False",
            because::unhealthy,
            "{}: {}; see that Service {} has ready endpoints that answer there with 2xx, or correct "
            "spec.upstream. It is probed every {} s{}",
            url,
            words_of_failure(probe.failure, all.seen.service),
            offer.upstream.service,
            all.settings.probe_period.count(),
            probe.consecutive_failures >= all.settings.suspend_after
                ? ", and nobody is asked to pay before it answers"
                : ""
        );
    if (auto last = last_finding(all.offer(), type, {because::healthy, because::unhealthy}))
        return *last;
    return make_condition(type, "Unknown", because::probing, "{} is being probed for the first time", url);
}

namespace {

// Not to be seen from the spec: the upstream may refuse what was meant to be free.
bool has_free_paths_and_credential(const evidence& all)
{
    if (!all.wanted.route || all.wanted.route->credential.empty())
        return false;
    const auto& rules = all.wanted.route->rules;
    return std::any_of(rules.begin(), rules.end(), [](const api::payment_rule& each) {
        return each.access == api::gate::free;
    });
}

std::string facilitator_words(const evidence& all)
{
    const facilitator_word& word = all.seen.facilitator;
    if (word.said != facilitator_word::verdict::unknown)
        return {};
    return fmt::format(
        "; whether its facilitator serves the network is not known, as GET /supported came to: {}",
        word.failure
    );
}

}  // namespace

kube::condition judge_gate(const evidence& all)
{
    constexpr std::string_view type = condition_type::payment_gate_ready;
    if (all.wanted.blocked)
        return blocked_condition(type, *all.wanted.blocked);
    if (auto kept = kept_from(type, all))
        return std::move(*kept);
    const kube::object_ptr& route = all.seen_of(child_kind::payment_route).live;
    if (route)
    {
        if (auto missing = middleware_missing(type, all))
            return std::move(*missing);
    }
    const char* waiting =
        "no verifier has taken up the present terms yet; if this lasts, see that the verifier runs";
    if (!route || all.done[child_kind::payment_route].writes)
        return make_condition(type, "Unknown", because::waiting_for_admission, "{}", waiting);
    const api::admission said = api::read_admission(*route);
    const bool admitted = said.admitted && said.generation == route->meta.generation;
    if (!admitted && said.refused && said.about_generation == route->meta.generation)
        return make_condition(
            type,
            "False",
            because::not_admitted,
            "the verifier refuses the terms: {} ({}); correct spec.payment or the verifier's configuration",
            said.message,
            said.reason
        );
    // What is written is the word of verifiers that lived then.
    const bool counts_endpoints = !all.settings.gateway.verifier_service.name.empty();
    const std::optional<bool> has_endpoint = all.seen.verifier_ready;
    if (counts_endpoints && !has_endpoint.value_or(!admitted))
        return make_condition(
            type,
            has_endpoint ? "False" : "Unknown",
            because::no_verifier_endpoints,
            "the verifier's Service has no ready endpoint, so every request is refused; see that its pods "
            "run and are ready"
        );
    if (!admitted)
        return make_condition(type, "Unknown", because::waiting_for_admission, "{}", waiting);
    if (api::is_refused_by_some(*route))
        return make_condition(
            type,
            "True",
            because::refused_by_some,
            "{}; a part of the requests is refused: see that all verifiers run with the same configuration "
            "and files",
            said.message
        );
    return make_condition(
        type,
        "True",
        because::admitted,
        "the verifier sells this offer on its present terms{}{}",
        facilitator_words(all),
        has_free_paths_and_credential(all)
            ? "; what is free reaches the upstream without the credential, which goes to who has paid alone"
            : ""
    );
}

kube::condition judge_ending(const ending& of)
{
    const std::string until = to_rfc3339(of.sold_until);
    if (of.stage == drain_stage::drained)
        return make_condition(condition_type::draining, "True", because::drained, "taken down at {}", until);
    return make_condition(
        condition_type::draining,
        "True",
        because::draining,
        "sold until {}, then taken down; change or remove spec.drainAt to keep it",
        until
    );
}

kube::condition judge_supported(const std::vector<api::unsupported_field>& fields)
{
    const bool withholds = fields.front().withholds;
    return make_condition(
        condition_type::not_supported,
        "True",
        withholds ? because::not_sold : because::ignored,
        "{}",
        told_unsupported(fields, withholds)
    );
}

bool holds_for_ready(const std::vector<kube::condition>& conditions)
{
    const auto& needed = condition_type::needed_for_ready;
    return std::all_of(needed.begin(), needed.end(), [&](std::string_view type) {
        const auto* each = kube::find_condition(conditions, type);
        return each && each->is_true();
    });
}

kube::condition judge_ready(const std::vector<kube::condition>& conditions, const evidence& all)
{
    // What prevents the sale explains more than what waits for it.
    const kube::condition* blocking =
        all.wanted.blocked ? kube::find_condition(conditions, all.wanted.blocked->condition) : nullptr;
    for (const std::string_view type : condition_type::needed_for_ready)
    {
        const auto* each = kube::find_condition(conditions, type);
        if (!blocking && each && !each->is_true())
            blocking = each;
    }
    if (!blocking)
        return make_condition(
            condition_type::ready, "True", because::ready, "the offer is published and sold"
        );
    return make_condition(
        condition_type::ready, "False", {blocking->reason}, "{}: {}", blocking->type, blocking->message
    );
}

std::vector<kube::condition> judge_not_selected(const offer_record& offer, const std::string& waiting_for)
{
    std::vector<kube::condition> out;
    for (const std::string_view type : {condition_type::route_published, condition_type::ready})
    {
        out.push_back(make_condition(
            type,
            "False",
            because::not_selected,
            "the operator's offer-selector leaves this offer out, so it is {}; give it back the labels that "
            "the operator asks for, to sell it",
            waiting_for.empty() ? std::string("taken down") : "being taken down; still there: " + waiting_for
        ));
        out.back().observed_generation = offer.meta.generation;
    }
    return out;
}

std::vector<kube::condition> judge_deleting(const offer_record& offer, const std::string& waiting_for)
{
    std::vector<kube::condition> out = offer.status.conditions;
    const auto set = [&](std::string_view type) {
        const auto at =
            std::find_if(out.begin(), out.end(), [&](const auto& each) { return each.type == type; });
        kube::condition gone = make_condition(
            type, "False", because::deleting, "the offer is being deleted; still there: {}", waiting_for
        );
        gone.observed_generation = offer.meta.generation;
        if (at == out.end())
            out.push_back(std::move(gone));
        else
            *at = std::move(gone);
    };
    set(condition_type::route_published);
    set(condition_type::ready);
    return out;
}

}  // namespace portitor::offer
