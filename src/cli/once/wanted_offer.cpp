#include "cli/once/wanted_offer.hpp"

#include "cli/offer_schema.hpp"
#include "cli/once/live_offers.hpp"

#include <portitor/api/names.hpp>

namespace portitor::cli::once {

namespace json = boost::json;

namespace {

constexpr std::size_t uid_digits = 12;

void keep(json::object& into, const json::object& from, std::string_view name)
{
    if (const json::value* held = from.if_contains(name))
        into[name] = *held;
}

json::object as_applied(const json::object& written)
{
    json::object meta;
    const json::object& given = kube::object_at(written, "metadata");
    for (const char* each : {"name", "namespace", "labels", "annotations"})
        keep(meta, given, each);
    json::object out;
    keep(out, written, "apiVersion");
    keep(out, written, "kind");
    out["metadata"] = std::move(meta);
    for (const auto& [key, value] : written)
    {
        if (!out.contains(key) && key != "status")
            out[key] = value;
    }
    return out;
}

void complete_new(json::object& meta, const kube::object_key& key, clock::time_point now)
{
    meta["uid"] = "00000000-0000-4000-8000-" + api::sha256_hex(key.to_string(), uid_digits);
    meta["resourceVersion"] = "1";
    meta["generation"] = 1;
    meta["creationTimestamp"] = to_rfc3339(now);
}

void complete_from(json::object& meta, const kube::object& live, bool differs)
{
    const json::object& held = kube::object_at(live.raw, "metadata");
    for (const char* each :
         {"uid", "creationTimestamp", "deletionTimestamp", "finalizers", "ownerReferences"})
        keep(meta, held, each);
    // Another version than the live one's, or nobody would notice that it is another text.
    meta["resourceVersion"] = live.meta.resource_version + "0";
    meta["generation"] = live.meta.generation + (differs ? 1 : 0);
}

// One for each namespace: all of it, or the one offer of a file that stands there.
std::vector<kube::selection> places_of(const std::vector<written_offer>& written)
{
    std::map<std::string, std::vector<std::string>> names;
    for (const written_offer& each : written)
        names[kube::string_at(each.raw, "metadata.namespace")].push_back(
            kube::string_at(each.raw, "metadata.name")
        );
    std::vector<kube::selection> out;
    for (const auto& [ns, all] : names)
    {
        kube::selection& one = out.emplace_back();
        one.ns = ns;
        if (all.size() == 1)
            one.fields = "metadata.name=" + all.front();
    }
    return out;
}

}  // namespace

wanted_offer make_wanted(written_offer written, kube::object_ptr live, clock::time_point now)
{
    wanted_offer out;
    out.from = std::move(written.from);
    out.written = as_applied(written.raw);
    out.key = {
        kube::string_at(out.written, "metadata.namespace"), kube::string_at(out.written, "metadata.name")};
    out.problems = problems_of(out.written);
    out.whole = out.written;
    fill_defaults(out.whole);
    out.live = std::move(live);
    out.differs = !out.live || !same_spec(*out.live, out.whole);
    json::object* meta = out.whole["metadata"].if_object();
    if (out.live)
    {
        complete_from(*meta, *out.live, out.differs);
        keep(out.whole, out.live->raw, "status");
    }
    else
        complete_new(*meta, out.key, now);
    return out;
}

boost::asio::awaitable<result<std::vector<wanted_offer>>>
complete_offers(kube::api* server, std::vector<written_offer> written, clock::time_point now)
{
    live_offers live;
    if (server && !written.empty())
    {
        auto listed = co_await list_offers(*server, places_of(written));
        if (!listed)
            co_return listed.error().to_error().within("listing ServiceOffers");
        live = std::move(*listed);
    }
    std::vector<wanted_offer> out;
    for (written_offer& each : written)
    {
        const kube::object_key key{
            kube::string_at(each.raw, "metadata.namespace"), kube::string_at(each.raw, "metadata.name")};
        const auto at = live.find(key);
        out.push_back(make_wanted(std::move(each), at == live.end() ? nullptr : at->second, now));
    }
    co_return out;
}

}  // namespace portitor::cli::once
