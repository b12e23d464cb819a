#include "roles/verifier/forward_auth.hpp"

#include <portitor/x402/match.hpp>
#include <portitor/x402/payment_required.hpp>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <span>

namespace portitor::verifier {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::string_view bound_prefix = "/verify/";
// Traefik gives up at 30 s with an empty 500.
constexpr std::chrono::seconds total_budget(20);
constexpr std::string_view json_type = "application/json";

/// What a refusal says to people and programs.
std::string body_of(std::string_view code, std::string_view message)
{
    const json::object body{
        {"error", json::string_view(code.data(), code.size())},
        {"message", json::string_view(message.data(), message.size())},
    };
    return json::serialize(body);
}

/// Every header that an upstream may take for our word, so that a client's copy never reaches it. Values are
/// empty where there is nothing to say.
void set_identity(http::response& answer, std::string_view payer, std::string_view receipt)
{
    const std::array<std::pair<const char*, std::string_view>, 7> headers{{
        {"X-Payer", payer},
        {"X-Payment-Payer", payer},
        {"X-Payment-Status", payer.empty() ? "free" : "settled"},
        {"X-Payment-Tx", ""},  // the receipt names the transaction
        {"X-Payment-Response", receipt},
        {"Payment-Response", receipt},
        {"X-Verified-Wallet", ""},
    }};
    for (const auto& [name, value] : headers)
        answer.set(name, boost::beast::string_view(value.data(), value.size()));
}

}  // namespace

/// One verdict on one request. Only the constructors below make a granted one.
struct forward_auth::outcome
{
    static outcome
    refuse(http::status code, const char* metric, std::string_view reason, std::string_view message)
    {
        outcome out;
        out.what = metric;
        out.answer = http::make_response(code, body_of(reason, message), json_type);
        return out;
    }

    static outcome
    refuse_for_now(const char* metric, std::string_view reason, std::string_view message, int seconds)
    {
        outcome out = refuse(http::status::service_unavailable, metric, reason, message);
        out.answer.set(http::field::retry_after, std::to_string(seconds));
        return out;
    }

    static outcome
    ask_for_payment(const x402::payment_requirement& wanted, const char* metric, std::string_view error)
    {
        const auto offer = x402::make_payment_required(std::span(&wanted, 1), error);
        outcome out;
        out.what = metric;
        out.answer = http::make_response(http::status::payment_required, offer.body, json_type);
        out.answer.set("PAYMENT-REQUIRED", offer.header_value);
        return out;
    }

    static outcome grant_free()
    {
        outcome out;
        out.what = "free";
        out.answer = http::make_response(http::status::ok, "");
        set_identity(out.answer, "", "");
        return out;
    }

    static outcome grant_paid(const x402::verdict_paid& payment, x402::delivery_guard delivery)
    {
        outcome out;
        out.what = payment.again ? "paid_again" : "paid";
        out.answer = http::make_response(http::status::ok, "");
        set_identity(out.answer, payment.payer.to_string(), payment.receipt);
        out.delivery = std::make_shared<x402::delivery_guard>(std::move(delivery));
        return out;
    }

    static outcome spent(const x402::verdict_already_used& payment)
    {
        outcome out = refuse(
            http::status::conflict,
            "already_used",
            "payment_already_used",
            "this payment has been spent; nothing was charged again"
        );
        if (!payment.receipt.empty())
        {
            out.answer.set("PAYMENT-RESPONSE", payment.receipt);
            out.answer.set("X-PAYMENT-RESPONSE", payment.receipt);
        }
        return out;
    }

    const char* what = "error";  ///< for metrics
    http::response answer;
    /// Of a granted payment: told when the answer is delivered, and reports that it was not when it goes.
    std::shared_ptr<x402::delivery_guard> delivery;
};

forward_auth::forward_auth(
    const route_table& routes,
    x402::gate& gate,
    const x402::network_table& networks,
    std::function<bool()> ready,
    logger log,
    metrics& numbers
)
    : routes_(routes), gate_(gate), networks_(networks), ready_(std::move(ready)), log_(std::move(log)),
      numbers_(numbers),
      duration_(numbers.histogram("portitor_verify_duration_seconds", "Time to answer the gateway"))
{}

void forward_auth::count(const std::string& key, const char* what)
{
    numbers_
        .counter(
            "portitor_verify_requests_total",
            "Questions of the gateway by route and answer",
            {{"route", key}, {"outcome", what}}
        )
        .add();
}

asio::awaitable<http::reply> forward_auth::answer(const http::request& message)
{
    const auto started = std::chrono::steady_clock::now();
    const std::string_view target(message.target().data(), message.target().size());
    const std::string_view path = target.substr(0, target.find('?'));
    std::string key;
    if (path.starts_with(bound_prefix))
        key = path.substr(bound_prefix.size());
    outcome verdict = outcome::refuse_for_now("error", "internal_error", "the gate has a fault", 1);
    try
    {
        verdict = co_await judge(message, key);
    }
    catch (const boost::system::system_error& thrown)
    {
        if (thrown.code() == asio::error::operation_aborted)
            throw;
        log_.error("judging a request threw", {{"route", key}, {"err", thrown.what()}});
    }
    catch (const std::exception& thrown)
    {
        log_.error("judging a request threw", {{"route", key}, {"err", thrown.what()}});
    }
    // Only routes that exist make a series: a client cannot fill our memory with names.
    const bool known = routes_.find(key) != nullptr;
    count(known ? key : std::string("unknown"), verdict.what);
    verdict.answer.set(
        "X-Portitor-Route", known ? boost::beast::string_view(key) : boost::beast::string_view()
    );
    verdict.answer.set(http::field::cache_control, "no-store");
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    duration_.observe(took.count());
    std::function<void(bool)> on_written;
    if (verdict.delivery)
        on_written = [delivery = std::move(verdict.delivery)](bool delivered) {
            if (delivered)
                delivery->delivered();
        };
    co_return http::reply(std::move(verdict.answer), std::move(on_written));
}

asio::awaitable<forward_auth::outcome>
forward_auth::judge(const http::request& message, const std::string& key)
{
    if (key.empty())
        co_return outcome::refuse(
            http::status::forbidden, "unbound", "unknown_route", "ask at /verify/<namespace>/<offer>"
        );
    const route_ptr route = routes_.find(key);
    if (!route)
    {
        // It may be on its way: a replica that is new, or has lost its watch, must not answer for the others.
        const char* why = ready_() ? "no such route is served here" : "the routes are not known yet";
        co_return outcome::refuse_for_now("unknown_route", "unknown_route", why, 1);
    }
    if (route->spec().suspended)
        co_return outcome::refuse_for_now(
            "suspended", "upstream_unavailable", "the service is down; nobody is asked to pay for it", 10
        );
    const auto asked = read_forwarded_request(message);
    if (!asked)
    {
        const bool refused = asked.error().code() == errc::refused;
        co_return outcome::refuse(
            refused ? http::status::forbidden : http::status::bad_request,
            "bad_request",
            "bad_request",
            asked.error().message()
        );
    }
    const terms* found = route->find(asked->path);
    if (!found)
        co_return outcome::refuse(
            http::status::forbidden, "outside", "outside_route", "this path is not one of the route's"
        );
    if (found->free)
        co_return outcome::grant_free();
    x402::payment_requirement wanted = found->requirement;
    wanted.resource_url = route->resource_url(asked->path, asked->scheme, asked->host);
    if (!asked->payment)
        co_return outcome::ask_for_payment(wanted, "payment_required", "payment required");
    co_return co_await sell(*asked, *route, std::move(wanted));
}

asio::awaitable<forward_auth::outcome> forward_auth::sell(
    const forwarded_request& asked, const served_route& route, x402::payment_requirement wanted
)
{
    const auto offered = x402::decode_payment(asked.payment->header, asked.payment->value, networks_);
    if (!offered)
        co_return outcome::refuse(
            http::status::bad_request, "bad_payment", "invalid_payload", offered.error().message()
        );
    const auto matched = x402::match(*offered, std::span(&wanted, 1));
    if (const auto* refused = std::get_if<x402::refusal>(&matched))
        co_return outcome::ask_for_payment(wanted, "not_matched", refused->code);
    x402::claim_binding binding;
    binding.offer = route.key();
    binding.method = asked.method;
    binding.uri = asked.uri;
    const auto deadline = std::chrono::steady_clock::now() + total_budget;
    const x402::verdict said =
        co_await gate_.pay(*offered, wanted, route.spec().facilitator_url, std::move(binding), deadline);
    if (const auto* granted = std::get_if<x402::verdict_paid>(&said))
        co_return outcome::grant_paid(*granted, gate_.guard_delivery(*granted));
    if (const auto* refused = std::get_if<x402::verdict_payment_required>(&said))
        co_return outcome::ask_for_payment(wanted, "not_paid", refused->reason);
    if (const auto* used = std::get_if<x402::verdict_already_used>(&said))
        co_return outcome::spent(*used);
    co_return judge_unavailable(std::get<x402::verdict_unavailable>(said), route.key());
}

forward_auth::outcome
forward_auth::judge_unavailable(const x402::verdict_unavailable& said, const std::string& key)
{
    log_.warn(
        "no verdict on a payment", {{"route", key}, {"cause", x402::to_string(said.cause)}, {"err", said.why}}
    );
    const char* message =
        said.cause == x402::unavailable_cause::settlement_unknown
            ? "the outcome of this payment is not known yet: send the same payment again"
            : "payments cannot be taken now, nothing was charged: send the same payment again";
    outcome out = outcome::refuse_for_now(
        x402::to_string(said.cause),
        "temporarily_unavailable",
        message,
        static_cast<int>(said.retry_after.count())
    );
    if (said.cause == x402::unavailable_cause::facilitator_broken)
        out.answer.result(http::status::bad_gateway);
    return out;
}

}  // namespace portitor::verifier
