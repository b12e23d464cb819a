#include "cli/once/show.hpp"

#include <boost/json/array.hpp>

namespace portitor::cli::once {

namespace json = boost::json;

namespace {

json::array texts(const std::vector<std::string>& all)
{
    json::array out;
    for (const std::string& each : all)
        out.emplace_back(each);
    return out;
}

json::object price_document(const price_line& of)
{
    json::object out{{"path", of.path}, {"free", of.free}, {"atomic", of.atomic}, {"words", of.words}};
    if (!of.how.empty())
        out["derivation"] = of.how;
    return out;
}

json::object terms_document(const terms_report& of)
{
    json::array prices;
    for (const price_line& each : of.prices)
        prices.push_back(price_document(each));
    json::object out{
        {"prices", std::move(prices)},
        {"network", of.network},
        {"asset", of.asset},
        {"payTo", of.pay_to},
        {"facilitator", {{"name", of.facilitator}, {"url", of.facilitator_url}}},
        {"endpoint", of.endpoint},
        {"upstream", of.upstream},
    };
    if (!of.credential.empty())
        out["credential"] = of.credential;
    return out;
}

json::object child_document(const child_report& of)
{
    json::object out{
        {"action", to_string(of.what)},
        {"kind", offer::type_of(of.kind).resource.kind},
        {"namespace", of.key.ns},
        {"name", of.key.name},
    };
    if (of.what == step::same)
        return out;
    out["comparedBy"] = of.asked_server ? "server" : "portitor";
    out["edited"] = of.edited;
    if (!of.live.empty())
        out["live"] = of.live;
    if (!of.wanted.empty())
        out["wanted"] = of.wanted;
    out["diff"] = texts(of.diff);
    json::array disputes;
    for (const dispute& each : of.disputes)
        disputes.push_back({{"field", each.field}, {"manager", each.manager}});
    out["disputes"] = std::move(disputes);
    if (!of.refused.empty())
        out["refused"] = of.refused;
    return out;
}

json::array conditions_document(const offer_report& of)
{
    json::array out;
    for (const condition_report& each : of.conditions)
    {
        json::object one{
            {"type", each.wanted.type},
            {"status", each.wanted.status},
            {"reason", each.wanted.reason},
            {"message", each.wanted.message},
        };
        if (!each.live_status.empty())
            one["live"] = {{"status", each.live_status}, {"reason", each.live_reason}};
        out.push_back(std::move(one));
    }
    return out;
}

json::array events_document(const offer_report& of)
{
    json::array out;
    for (const offer::note& each : of.events)
        out.push_back(
            {{"type", each.type == offer::note::severity::warning ? "Warning" : "Normal"},
             {"reason", each.reason},
             {"message", each.message}}
        );
    return out;
}

void add_plan(json::object& out, const offer_report& of)
{
    out["byDefaults"] = of.by_defaults;
    if (of.terms)
        out["terms"] = terms_document(*of.terms);
    if (of.blocked)
        out["blocked"] = {
            {"condition", of.blocked->condition},
            {"reason", of.blocked->reason},
            {"message", of.blocked->message}};
    json::array children;
    for (const child_report& each : of.children)
        children.push_back(child_document(each));
    out["children"] = std::move(children);
    out["finalizer"] = of.adds_finalizer ? "add" : of.removes_finalizer ? "remove" : "same";
    out["status"] = {{"write", of.writes_status}, {"phase", of.phase}, {"livePhase", of.live_phase}};
    out["conditions"] = conditions_document(of);
    out["events"] = events_document(of);
    out["next"] = texts(of.next);
}

json::object offer_document(const offer_report& of)
{
    json::object out{
        {"namespace", of.key.ns},
        {"name", of.key.name},
        {"standing", to_string(of.standing)},
    };
    if (!of.from.empty())
        out["from"] = of.from;
    out["changes"] = of.changes();
    out["diff"] = texts(of.offer_diff);
    out["problems"] = texts(of.problems);
    if (!of.passed_over.empty())
        out["passedOver"] = of.passed_over;
    else if (of.problems.empty())
        add_plan(out, of);
    return out;
}

}  // namespace

json::object document_of(const report& all_of_it)
{
    json::array offers;
    for (const offer_report& each : all_of_it.offers)
        offers.push_back(offer_document(each));
    const summary numbers = all_of_it.count();
    json::object out;
    out["lookedAt"] = {
        {"cluster", all_of_it.cluster},
        {"settings", all_of_it.settings},
        {"notSeen", texts(all_of_it.unseen)}};
    out["offers"] = std::move(offers);
    out["plan"] = {
        {"create", numbers.creates},
        {"change", numbers.changes},
        {"delete", numbers.removes},
        {"same", numbers.same},
        {"blocked", numbers.blocked},
        {"invalid", numbers.invalid},
        {"statuses", numbers.statuses},
        {"finalizers", numbers.finalizers}};
    out["errors"] = texts(all_of_it.errors);
    return out;
}

}  // namespace portitor::cli::once
