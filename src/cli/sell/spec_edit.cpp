#include "cli/sell/spec_edit.hpp"

#include "cli/sell/api_words.hpp"

#include <portitor/api/resources.hpp>

namespace portitor::cli::sell {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr unsigned most_attempts = 4;

json::array operations(const kube::object& live, const json::object& wanted)
{
    json::array out{
        json::object{{"op", "test"}, {"path", "/metadata/uid"}, {"value", live.meta.uid}},
        json::object{{"op", "test"}, {"path", "/metadata/generation"}, {"value", live.meta.generation}}};
    const std::size_t guards = out.size();
    for (const auto& [name, value] : wanted)
    {
        const json::value* before = live.spec().if_contains(name);
        if (!before || *before != value)
            out.push_back(json::object{
                {"op", "add"}, {"path", "/spec/" + std::string(name)}, {"value", value}});
    }
    for (const auto& [name, value] : live.spec())
    {
        if (!wanted.contains(name))
            out.push_back(json::object{{"op", "remove"}, {"path", "/spec/" + std::string(name)}});
    }
    return out.size() == guards ? json::array() : out;
}

}  // namespace

asio::awaitable<result<kube::object_ptr>> read_offer(kube::api& server, kube::object_key of)
{
    const auto live = co_await server.get(api::service_offer_resource, of);
    if (!live)
        co_return in_words(live.error(), "get", api::service_offer_resource, of);
    if ((*live)->meta.deleted)
        co_return fail(errc::conflict, "ServiceOffer {} is being deleted", of.to_string());
    co_return *live;
}

asio::awaitable<result<kube::object_ptr>> edit_spec(kube::api& server, kube::object_key of, spec_editor edit)
{
    for (unsigned attempt = 1;; ++attempt)
    {
        auto live = co_await read_offer(server, of);
        if (!live)
            co_return live.error();
        json::object wanted = (*live)->spec();
        auto edited = edit(**live, wanted);
        if (!edited)
            co_return edited.error();
        json::array changes = operations(**live, wanted);
        if (changes.empty())
            co_return *live;
        auto patched = co_await server.patch(api::service_offer_resource, of, std::move(changes));
        if (patched)
            co_return *patched;
        // A test that failed has no causes; a schema that refuses has.
        const bool raced = patched.error().is_conflict() ||
                           (patched.error().http_status() == 422 && patched.error().causes().empty());
        if (!raced || attempt == most_attempts)
            co_return in_words(patched.error(), "patch", api::service_offer_resource, of);
    }
}

}  // namespace portitor::cli::sell
