#include "cli/cluster/market_view.hpp"
#include "cli/cluster/no_cluster.hpp"
#include "cli/cluster/operator_settings.hpp"
#include "command_world.hpp"
#include "forwarding_api.hpp"
#include "offer/hosts.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/config/groups.hpp>

using namespace portitor;
using namespace portitor::cli;
using portitor::cli::samples::command_world;

namespace {

using api::service_offer_resource;
namespace json = boost::json;

std::string offer_text(const std::string& name, const std::string& path)
{
    return R"({"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer",)"
           R"("metadata":{"namespace":"shop","name":")" +
           name + R"("},"spec":{"path":")" + path +
           R"(","upstream":{"service":"web","port":8080},"payment":{"network":"base-sepolia",)"
           R"("payTo":"0x00000000000000000000000000000000000000AB","price":{"perRequest":"0.01"}}}})";
}

json::object as_file(const std::string& name, const std::string& path, const std::string& uid)
{
    json::object out = json::parse(offer_text(name, path)).as_object();
    json::object& meta = out["metadata"].as_object();
    meta["uid"] = uid;
    meta["generation"] = 1;
    meta["resourceVersion"] = "file";
    meta["creationTimestamp"] = "2030-01-01T00:00:00Z";
    return out;
}

struct view_world : command_world
{
    offer::plan_settings settings = [] {
        offer::plan_settings out;
        out.gateway = config::defaults<config::gateway_options>();
        out.lists = config::defaults<config::operator_lists>();
        return out;
    }();

    std::unique_ptr<market_view> look(kube::api& at, market_view::request what)
    {
        roles::process around{
            context,
            context.get_executor(),
            logger(level, log_format::text),
            numbers,
            checks,
            stop,
            wall,
            timers(),
            [] { return result<std::unique_ptr<kube::api>>(fail(errc::unavailable, "none")); }};
        std::optional<result<std::unique_ptr<market_view>>> out;
        boost::asio::co_spawn(
            context,
            market_view::read(around, at, settings, std::move(what)),
            [&](std::exception_ptr, auto read) { out.emplace(std::move(read)); }
        );
        REQUIRE(wait([&] { return out.has_value(); }));
        REQUIRE(out->has_value());
        return std::move(**out);
    }
};

}  // namespace

TEST_CASE("a view has the live offers, and files in their places", "[cli][market]")
{
    view_world w;
    w.create(service_offer_resource, offer_text("old", "/services/a"));
    const std::string uid = w.live(service_offer_resource, "old")->meta.uid;
    sandbox::api api(w.server, w.numbers);
    market_view::request what;
    what.offers.push_back(as_file("new", "/services/a/below", "0"));
    const auto view = w.look(api, std::move(what));
    REQUIRE(view->offers().size() == 2);
    const offer::record_ptr added = view->offers().at({"shop", "new"});
    CHECK(view->observe(added).path_owner == "shop/old");
    CHECK(view->unseen().empty());

    // The file moves the older offer away.
    market_view::request moved;
    moved.offers.push_back(as_file("old", "/services/b", uid));
    moved.offers.push_back(as_file("new", "/services/a/below", "0"));
    const auto after = w.look(api, std::move(moved));
    CHECK(after->offers().at({"shop", "old"})->where.path == "/services/b");
    CHECK(after->observe(after->offers().at({"shop", "new"})).path_owner.empty());
}

TEST_CASE("a view knows a namespace's limit, and what its Services are", "[cli][market]")
{
    view_world w;
    w.settings.lists.offers.per_namespace = 1;
    w.create(service_offer_resource, offer_text("old", "/services/a"));
    w.create(
        api::service_resource,
        R"({"apiVersion":"v1","kind":"Service","metadata":{"namespace":"shop","name":"web"},)"
        R"("spec":{"type":"ExternalName","externalName":"metadata.internal"}})"
    );
    sandbox::api api(w.server, w.numbers);
    market_view::request what;
    what.offers.push_back(as_file("aaa", "/services/a", "0"));
    const auto view = w.look(api, std::move(what));
    const auto beyond = view->observe(view->offers().at({"shop", "aaa"}));
    CHECK(beyond.beyond_limit);
    // It asks for no place.
    CHECK(beyond.path_owner.empty());
    const auto within = view->observe(view->offers().at({"shop", "old"}));
    CHECK_FALSE(within.beyond_limit);
    CHECK(within.service == offer::service_nature::external);
}

TEST_CASE("who may not list Namespaces is told by his own whether a host is his", "[cli][market]")
{
    /// As for a seller with a role in his namespace.
    class own_namespace_only final : public samples::forwarding_api
    {
    public:
        using forwarding_api::forwarding_api;

        answer<kube::list_page> list(
            kube::resource kind, kube::selection which, kube::list_position from, kube::item_handler each
        ) override
        {
            if (kind.plural == portitor::api::namespace_resource.plural)
                co_return forbidden();
            co_return co_await forwarding_api::list(kind, std::move(which), std::move(from), std::move(each));
        }
        answer<kube::object_ptr>
        get(kube::resource kind, kube::object_key key, kube::request_class urgency) override
        {
            if (kind.plural == portitor::api::namespace_resource.plural && may_get)
                co_return kube::parse_object(
                    json::parse(R"({"metadata":{"name":"shop","labels":{"sells":"yes"}}})").as_object()
                )
                    .value();
            co_return forbidden();
        }

        static kube::api_error forbidden()
        {
            return {403, "Forbidden", "namespaces is forbidden: User \"ada\"", std::chrono::seconds(0)};
        }

        bool may_get = true;
    };
    view_world w;
    w.settings.gateway.hosts.entries.push_back(
        {"llm.example.com", {}, kube::make_predicate("", "sells=yes", "").value()}
    );
    own_namespace_only api(std::make_unique<sandbox::api>(w.server, w.numbers));
    const auto right = [&] {
        market_view::request what;
        what.namespaces = {"shop"};
        json::object file = as_file("only", "/services/a", "0");
        file["spec"].as_object()["hostname"] = "llm.example.com";
        what.offers.push_back(std::move(file));
        const auto view = w.look(api, std::move(what));
        const auto home = view->observe(view->offers().at({"shop", "only"})).home;
        return std::pair(
            offer::right_to_host("llm.example.com", "shop", home.get(), w.settings), view->unseen().size()
        );
    };
    CHECK(right() == std::pair(offer::host_right::allowed, std::size_t(0)));
    api.may_get = false;
    CHECK(right() == std::pair(offer::host_right::unknown, std::size_t(1)));
}

TEST_CASE("without a cluster only files are seen", "[cli][market]")
{
    view_world w;
    no_cluster nothing;
    market_view::request what;
    what.offers.push_back(as_file("only", "/services/a", "0"));
    const auto view = w.look(nothing, std::move(what));
    CHECK(view->offers().size() == 1);
    CHECK(view->unseen().empty());
}
