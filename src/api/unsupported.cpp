#include <portitor/api/unsupported.hpp>
#include <portitor/kube/object.hpp>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace portitor::api {

namespace json = boost::json;

namespace {

constexpr std::size_t most_told = 16;

using list = std::vector<unsupported_field>;

bool is_there(const json::object& in, std::string_view key)
{
    const json::value* value = in.if_contains(key);
    if (!value || value->is_null())
        return false;
    if (const json::object* members = value->if_object())
        return !members->empty();
    if (const json::array* items = value->if_array())
        return !items->empty();
    return !value->is_string() || !value->get_string().empty();
}

void look_at_type(const json::object& spec, list& into)
{
    const std::string type = kube::string_at(spec, "type");
    if (type == "agent")
        into.push_back(
            {"spec.type",
             "agents are not sold as such; sell the Service that answers for the agent, with type: http",
             true}
        );
    if (type == "fine-tuning")
        into.push_back({"spec.type", "fine-tuning is not sold; write http or inference", true});
    if (type != "agent" && is_there(spec, "agent"))
        into.push_back({"spec.agent", "nothing is sold by it", false});
}

// Another way to pay, or other terms of the first one, is what a buyer may have been promised.
void look_at_payments(const json::object& spec, list& into)
{
    const json::array& ways = kube::array_at(spec, "payments");
    if (ways.empty())
        return;
    const json::value* only = spec.if_contains("payment");
    // Fields of Portitor's own are in the one alone.
    const auto of_both = [](json::object of) {
        of.erase("settlement");
        of.erase("facilitator");
        return of;
    };
    if (ways.size() > 1)
        into.push_back(
            {"spec.payments",
             fmt::format(
                 "an offer is paid in one way, and {} are written; leave the one of spec.payment, and make "
                 "an offer with a path of its own for each other one",
                 ways.size()
             ),
             true}
        );
    else if (!only || of_both(kube::as_object(*only)) != of_both(kube::as_object(ways.front())))
        into.push_back(
            {"spec.payments", "its one entry is not the same as spec.payment; leave payments out", true}
        );
}

void look_at_epoch(const json::object& price, const std::string& path, bool is_offers, list& into)
{
    if (!is_there(price, "perEpoch"))
        return;
    const bool has_other =
        is_there(price, "perRequest") || is_there(price, "perMTok") || is_there(price, "perHour");
    into.push_back(
        {path + ".perEpoch",
         "nothing is charged by the epoch; write perRequest, perMTok or perHour",
         !has_other || !is_offers}
    );
}

void look_at_routes(const json::object& spec, list& into)
{
    std::size_t at = 0;
    for (const json::value& each : kube::array_at(spec, "routes"))
    {
        const json::object& route = kube::as_object(each);
        const std::string path = fmt::format("spec.routes[{}]", at++);
        if (kube::string_at(route, "gate") == "auth")
            into.push_back(
                {path + ".gate",
                 "nobody signs in at the gate (auth); write paid, or free where the service asks by itself",
                 true}
            );
        if (kube::int_at(route, "freeQuota") > 0)
            into.push_back(
                {path + ".freeQuota",
                 "nothing is free by the number of requests; leave it out, or write gate: free",
                 true}
            );
        look_at_epoch(kube::object_at(route, "price"), path + ".price", false, into);
        if (is_there(route, "summary"))
            into.push_back({path + ".summary", "it shows nowhere; registration.description does", false});
    }
}

}  // namespace

std::vector<unsupported_field> find_unsupported(const json::object& spec)
{
    list out;
    look_at_type(spec, out);
    look_at_payments(spec, out);
    if (kube::bool_at(spec, "async.enabled"))
        out.push_back(
            {"spec.async",
             "a paid request is answered by the service itself, and not by a job to ask for later; leave "
             "async out",
             true}
        );
    look_at_epoch(kube::object_at(spec, "payment.price"), "spec.payment.price", true, out);
    look_at_routes(spec, out);
    constexpr std::array<std::pair<std::string_view, const char*>, 3> shown_nowhere{{
        {"branding", "there is no shop window; it shows nowhere"},
        {"listing", "the catalogue has one order; it is passed over"},
        {"provenance", "it shows nowhere; registration.metadata goes on chain"},
    }};
    for (const auto& [key, words] : shown_nowhere)
    {
        if (is_there(spec, key))
            out.push_back({fmt::format("spec.{}", key), words, false});
    }
    std::stable_partition(out.begin(), out.end(), [](const unsupported_field& each) {
        return each.withholds;
    });
    if (out.size() > most_told)
        out.erase(out.begin() + most_told, out.end());
    return out;
}

}  // namespace portitor::api
