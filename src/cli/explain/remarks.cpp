#include "cli/explain/remarks.hpp"

#include "offer/hosts.hpp"
#include "offer/offer_record.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/api/ownership.hpp>
#include <portitor/api/payment_route.hpp>
#include <portitor/api/resources.hpp>

#include <algorithm>

namespace portitor::cli::explain {

namespace {

void remark_on_request(explanation& into)
{
    const bool by_query =
        std::any_of(into.candidates.begin(), into.candidates.end(), [](const candidate& each) {
            return each.by_query;
        });
    if (!into.request.query.empty() && !by_query)
        into.remarks.emplace_back("the query decides neither route nor price");
}

void remark_on_order(explanation& into, const remark_sources& from)
{
    if (!into.taken)
        return;
    const candidate& first = into.candidates[*into.taken];
    const auto rival = std::find_if(
        into.candidates.begin() + static_cast<std::ptrdiff_t>(*into.taken) + 1,
        into.candidates.end(),
        [&](const candidate& each) {
            return each.applies() && each.priority == first.priority &&
                   std::tie(each.route, each.rule) != std::tie(first.route, first.rule);
        }
    );
    // Traefik alone leaves the order open; elsewhere age and name decide.
    if (rival != into.candidates.end() && first.priority != 0)
        into.remarks.push_back(fmt::format(
            "HTTPRoute {}, rules[{}], has the same priority: which of the two answers may change at any "
            "reload",
            rival->route.to_string(),
            rival->rule
        ));
    if (!from.around.http_routes.covers_all())
        into.remarks.push_back(
            fmt::format("one of the HTTPRoutes {} may take it first", from.around.http_routes.gap())
        );
}

void remark_on_offer(explanation& into, const remark_sources& from)
{
    const std::size_t slash = into.offer.find('/');
    if (slash == std::string::npos)
        return;
    const kube::object_key key{into.offer.substr(0, slash), into.offer.substr(slash + 1)};
    const kube::object_ptr known = from.around.offers.find(key);
    if (!known)
    {
        into.remarks.emplace_back(
            from.around.offers.covers(key.ns) ? "the ServiceOffer itself is not there"
                                              : "the ServiceOffer itself cannot be seen"
        );
        return;
    }
    if (!known->unreadable.empty())
    {
        into.remarks.push_back("the ServiceOffer could not be read: " + known->unreadable);
        return;
    }
    if (api::is_held_by_predecessor(known->meta))
    {
        into.remarks.push_back(fmt::format(
            "the predecessor's controller holds the ServiceOffer ({}), so Portitor leaves it alone",
            api::predecessors_finalizer
        ));
        return;
    }
    const offer::record_ptr offer = offer::offer_record::read(*known);
    for (const std::string_view type : api::condition_type::needed_for_ready)
    {
        const kube::condition* said = offer->status.find_present(type, offer->meta.generation);
        if (!said || !said->is_true())
            into.remarks.push_back(fmt::format(
                "{} is {}{}",
                type,
                said ? said->status : "not known yet",
                said ? fmt::format(" ({}): {}", said->reason, said->message) : ""
            ));
    }
    const kube::object_ptr live = from.verifier.route_of(into.offer);
    if (live && (!kube::bool_at(live->status(), "admitted") ||
                 kube::int_at(live->status(), "lastAdmittedGeneration") != live->meta.generation))
        into.remarks.emplace_back("no verifier has admitted the PaymentRoute in its present form yet");
    else if (live && api::is_refused_by_some(*live))
        into.remarks.push_back("it depends on the verifier: " + api::read_admission(*live).message);
}

// So many offers that are not published are named.
constexpr int most_withheld = 3;

// Why no offer takes it, where one would have its place.
void remark_on_withheld(explanation& into, const remark_sources& from)
{
    if (!into.offer.empty())
        return;
    const offer::plan_settings& plan = from.settings.plan();
    const std::string host = offer::own_host(into.request.host, plan);
    const std::string path = offer::normal_path(into.request.path);
    int told = 0;
    for (const auto& [key, each] : from.around.offers.objects)
    {
        const offer::record_ptr offer = offer::offer_record::read(*each);
        const offer::place where = offer::place_among(offer->where, plan);
        const bool is_there =
            where.host == host || (where.host.empty() && plan.gateway.public_hosts().every_host);
        const kube::condition* said =
            offer->status.find_present(api::condition_type::route_published, offer->meta.generation);
        const std::string left_out = said ? std::string() : from.settings.why_left_out(each->raw);
        const bool is_withheld = said && said->status == "False";
        if (!is_there || !offer::is_at_or_below(path, where.path) || (!is_withheld && left_out.empty()))
            continue;
        into.remarks.push_back(
            is_withheld
                ? fmt::format(
                      "the ServiceOffer {} asks for this place, and is not published ({}): {}",
                      key.to_string(),
                      said->reason,
                      said->message
                  )
                : fmt::format("the ServiceOffer {} asks for this place, and {}", key.to_string(), left_out)
        );
        if (++told == most_withheld)
            return;
    }
}

}  // namespace

void add_remarks(explanation& into, const remark_sources& from)
{
    remark_on_request(into);
    remark_on_order(into, from);
    remark_on_offer(into, from);
    remark_on_withheld(into, from);
}

}  // namespace portitor::cli::explain
