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

std::string words_of_holder(const std::string& offer)
{
    return fmt::format(
        "the predecessor's controller holds {} ({}), so Portitor leaves it alone",
        offer,
        api::predecessors_finalizer
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
        into.remarks.push_back(words_of_holder("the ServiceOffer"));
        return;
    }
    const offer::record_ptr offer = offer::offer_record::read(*known);
    const kube::condition* unsupported =
        offer->status.find_present(api::condition_type::not_supported, offer->meta.generation);
    if (unsupported)
        into.remarks.push_back(
            fmt::format("{} ({}): {}", unsupported->type, unsupported->reason, unsupported->message)
        );
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

// So many offers that are not sold are named.
constexpr int most_withheld = 3;

/// Why an offer is not sold; empty where it is, or nobody can tell. Ready has the words of the condition that
/// holds it back, where others only point there.
std::string words_of_unsold(const offer::offer_record& offer, const std::string& left_out)
{
    namespace type = api::condition_type;
    const std::string name = "the ServiceOffer " + offer.meta.key().to_string();
    if (api::is_held_by_predecessor(offer.meta))
        return words_of_holder(name);
    const kube::condition* ready = offer.status.find_present(type::ready, offer.meta.generation);
    if (!ready && !left_out.empty())
        return name + " asks for this place, and " + left_out;
    if (!ready)
        return name + " asks for this place, and the controller has not looked at it: is it running?";
    const kube::condition* published =
        offer.status.find_present(type::route_published, offer.meta.generation);
    if (!published || published->status != "False" || ready->is_true())
        return {};
    return fmt::format(
        "{} asks for this place, and is not sold ({}): {}", name, ready->reason, ready->message
    );
}

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
        if (!is_there || !offer::is_at_or_below(path, where.path))
            continue;
        std::string why = words_of_unsold(*offer, from.settings.why_left_out(each->raw));
        if (why.empty())
            continue;
        into.remarks.push_back(std::move(why));
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
