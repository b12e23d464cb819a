#include "gateway_world.hpp"

#include <stdexcept>

using namespace portitor;
using namespace portitor::cli;
using namespace portitor::cli::explain::samples;

namespace {

/// What an API server lists less than everything of.
struct narrowness
{
    std::string ns;         ///< the only namespace that may be listed; empty: all may
    std::string forbidden;  ///< plural of a kind that may not be listed at all
    std::string too_large;  ///< plural of a kind whose objects are all too large to be read
};

class narrow_api final : public kube::api
{
public:
    narrow_api(std::unique_ptr<kube::api> inner, const narrowness& how) : inner_(std::move(inner)), how_(how)
    {}

    template <typename T>
    using answer = boost::asio::awaitable<kube::api_result<T>>;

    answer<kube::object_ptr>
    get(kube::resource kind, kube::object_key key, kube::request_class urgency) override
    {
        return inner_->get(kind, std::move(key), urgency);
    }
    answer<kube::list_page> list(
        kube::resource kind, kube::selection which, kube::list_position from, kube::item_handler each
    ) override
    {
        if ((!how_.ns.empty() && which.ns != how_.ns) || kind.plural == how_.forbidden)
            co_return kube::api_error{403, "Forbidden", "no right", {}};
        if (kind.plural == how_.too_large)
            each = [inner = std::move(each)](json::object&& item, std::string_view) {
                return inner(std::move(item), "it is too large");
            };
        co_return co_await inner_->list(kind, std::move(which), std::move(from), std::move(each));
    }
    answer<std::unique_ptr<http::body_stream>>
    watch(kube::resource, kube::selection, std::string, std::chrono::seconds) override
    {
        throw std::logic_error("a watch");
    }
    answer<kube::object_ptr> apply(kube::resource, json::object, kube::apply_options) override
    {
        throw std::logic_error("a write");
    }
    answer<kube::object_ptr> patch(kube::resource, kube::object_key, json::array) override
    {
        throw std::logic_error("a write");
    }
    answer<kube::object_ptr> replace(kube::resource, json::object, kube::request_class) override
    {
        throw std::logic_error("a write");
    }
    answer<kube::object_ptr> create(kube::resource, json::object, kube::request_class) override
    {
        throw std::logic_error("a write");
    }
    answer<void> remove(kube::resource, kube::object_key, kube::delete_options) override
    {
        throw std::logic_error("a write");
    }

private:
    std::unique_ptr<kube::api> inner_;
    const narrowness& how_;
};

}  // namespace

TEST_CASE("who may list one namespace only is told what that one shows, and no more", "[cli][explain]")
{
    gateway_world w;
    w.sell();
    w.route("so-web", "/services/web", through({"gate"}) + "," + to("web"));
    narrowness how{"shop", "", ""};
    w.between = [&](std::unique_ptr<kube::api> made) {
        return std::make_unique<narrow_api>(std::move(made), how);
    };
    const auto told = w.run({"explain", "/services/web", "-n", "shop"});
    INFO(told.out + told.err);
    CHECK(told.code == 0);
    CHECK(told.out.find("402, and 0.01 USDC") != std::string::npos);
    CHECK(
        told.out.find("one of the HTTPRoutes of other namespaces than shop may take it first") !=
        std::string::npos
    );
    CHECK(told.err.find("not seen: HTTPRoutes of other namespaces than shop") != std::string::npos);
    CHECK(w.verdict("/nothing", {"-n", "shop"}) == "unknown 0");
    CHECK(w.run({"explain", "/services/web", "-n", "other"}).code == 1);

    // Whether a Middleware that cannot be seen is a gate is not known.
    how.forbidden = "middlewares";
    CHECK(w.verdict("/services/web", {"-n", "shop"}) == "unknown 0");
}

TEST_CASE(
    "an object that is too large to be read is named, and may be the one that decides", "[cli][explain]"
)
{
    gateway_world w;
    w.sell();
    w.route("so-web", "/services/web", through({"gate"}) + "," + to("web"));
    narrowness how;
    w.between = [&](std::unique_ptr<kube::api> made) {
        return std::make_unique<narrow_api>(std::move(made), how);
    };
    CHECK(w.verdict("/services/web") == "payment_required 402");
    how.too_large = "httproutes";
    CHECK(w.verdict("/services/web") == "unknown 0");
    CHECK(
        w.run({"explain", "/services/web"}).err ==
        "portitor: left out: HTTPRoute shop/so-web: it is too large\n"
    );
    how.too_large = "middlewares";
    CHECK(w.verdict("/services/web") == "unknown 0");
    how.too_large = "paymentroutes";
    CHECK(w.verdict("/services/web") == "unknown_route 503");
}
