#include "roles/verifier/fronts/forward_auth.hpp"

#include "roles/verifier/fronts/payment_page.hpp"
#include "route/credentials.hpp"

#include <boost/system/system_error.hpp>

#include <span>

namespace portitor::verifier {

namespace asio = boost::asio;

namespace {

constexpr std::size_t longest_path = 2048;
// Who pays has the whole URI in his record.
constexpr std::size_t longest_paid_uri = 8192;
constexpr std::string_view json_type = "application/json";
constexpr std::string_view page_type = "text/html; charset=utf-8";
constexpr std::string_view page_depends_on = "Accept, User-Agent";
constexpr std::string_view told_to_pages =
    "PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE, X-Portitor-Route";

route::outcome outcome_of(x402::unavailable_cause cause)
{
    switch (cause)
    {
    case x402::unavailable_cause::busy:
        return route::outcome::busy;
    case x402::unavailable_cause::facilitator:
        return route::outcome::facilitator;
    case x402::unavailable_cause::facilitator_broken:
        return route::outcome::facilitator_broken;
    case x402::unavailable_cause::settlement_unknown:
        return route::outcome::settlement_unknown;
    case x402::unavailable_cause::store:
        return route::outcome::ledger;
    case x402::unavailable_cause::internal:
        return route::outcome::internal;
    }
    return route::outcome::internal;
}

const char* told_of(x402::used_cause cause)
{
    switch (cause)
    {
    case x402::used_cause::sold:
        break;
    case x402::used_cause::elsewhere:
        return "this payment was used before it came here, or elsewhere; nothing was charged by this request";
    case x402::used_cause::failed:
        return "the settlement of this payment failed, and its nonce is used: it can buy nothing";
    case x402::used_cause::withdrawn:
        return "this payment was cancelled, or its nonce was used for something else: it can buy nothing";
    case x402::used_cause::expired:
        return "this payment's time is over, and what became of it could not be learnt";
    }
    return "this payment has been spent; nothing was charged again";
}

}  // namespace

forward_auth::forward_auth(
    const published<route::route_table>& routes,
    const till& counter,
    const cors_policy& cors,
    logger log,
    metrics& numbers
)
    : routes_(routes), till_(counter), cors_(cors), log_(std::move(log)),
      duration_(numbers.histogram("portitor_verify_duration_seconds", "Time to answer the gateway")),
      unknown_(numbers, "unknown")
{}

std::optional<http::pending_answer>
forward_auth::answer_to(const http::server_request& message, http::response_writer& out)
{
    const auto asked_at = std::chrono::steady_clock::now();
    judgement made = judge_safely(message);
    if (auto* begun = std::get_if<sale_ptr>(&made))
    {
        (*begun)->asked_at = asked_at;
        return sell_safely(std::move(*begun), out);
    }
    finish(std::get<answer>(made), now_.entry.get(), now_.allowed_origin, asked_at, out);
    now_.entry = nullptr;
    return std::nullopt;
}

// The one place through which every question passes: what is not answered on purpose is refused.
forward_auth::judgement forward_auth::judge_safely(const http::server_request& message)
{
    now_.entry = nullptr;
    now_.has_token = false;
    now_.allowed_origin = {};
    try
    {
        if (cors_.enabled())
            now_.allowed_origin = cors_.allowed(message["Origin"]);
        return judge(message);
    }
    catch (const std::exception& thrown)
    {
        log_.error("judging a request threw", {{"err", thrown.what()}});
    }
    return refuse_for_a_fault();
}

answer forward_auth::refuse_for_a_fault()
{
    return refuse_for_now(route::outcome::internal, "internal_error", "the gate has a fault", 1);
}

forward_auth::judgement forward_auth::judge(const http::server_request& message)
{
    if (auto refused = find_route(message))
        return *refused;
    const route::served_route& route = *now_.entry->route;
    const forwarded_request& asked = now_.asked;
    const route::ruling said =
        route::rule_on(route, asked.path, {.has_token = now_.has_token, .method = asked.method});
    now_.price = said.price;
    if (said.what == route::outcome::granted_free)
        return grant(said.what, route, "", "");
    if (said.what != route::outcome::payment_required)
        return refuse_by(said.what, route::told_of(said.what));
    if (asked.uri.size() > longest_paid_uri)
        return refuse(
            route::outcome::bad_request,
            414,
            "bad_request",
            "the URL of the request is longer than 8192 characters"
        );
    if (!asked.payment)
        return ask_for_payment(route::outcome::payment_required, route, *now_.price, "payment required");
    auto begun = prepare_sale();
    if (!begun)
        return refuse(route::outcome::bad_payment, 400, "invalid_payload", begun.error().message());
    return *std::move(begun);
}

/// Finds the route and reads the question; or says why not.
std::optional<answer> forward_auth::find_route(const http::server_request& message)
{
    const auto target = route::read_gate_target(message.target());
    if (!target)
        return refuse(
            route::outcome::unknown_route, 403, "unknown_route", "ask at /verify/<namespace>/<offer>"
        );
    const route::route_table& table = routes_.get();
    if (target->bound)
    {
        route::found_route found = route::find_bound(table, target->offer);
        if (!found.entry)
            return refuse_by(route::outcome::unknown_route, found.why);
        now_.entry = std::move(found.entry);
        now_.has_token = now_.entry->route->knows_gateway(target->token);
    }
    auto read = read_forwarded_request(message, now_.asked);
    if (!read)
    {
        const bool refused = read.error().code() == errc::refused;
        return refuse(
            route::outcome::bad_request, refused ? 403 : 400, "bad_request", read.error().message()
        );
    }
    // What a 402 says of the path has to fit into a header.
    if (now_.asked.path.text.size() > longest_path)
        return refuse(
            route::outcome::bad_request,
            414,
            "bad_request",
            "the path of the request is longer than 2048 characters"
        );
    if (!target->bound)
    {
        route::found_route found = route::find_by_path(table, now_.asked.path, now_.asked.host);
        if (!found.entry)
            return refuse_by(route::outcome::unknown_route, found.why);
        now_.entry = std::move(found.entry);
    }
    return std::nullopt;
}

answer forward_auth::refuse_by(route::outcome what, const route::told& why)
{
    return why.status == 503 ? refuse_for_now(what, why.code, why.words, why.retry_after)
                             : refuse(what, why.status, why.code, why.words);
}

answer
forward_auth::refuse(route::outcome what, unsigned status, std::string_view code, std::string_view message)
{
    write_refusal(text_, code, message);
    answer out(what, status);
    out.body(json_type, text_);
    return out;
}

answer forward_auth::refuse_for_now(
    route::outcome what, std::string_view code, std::string_view message, std::int64_t seconds
)
{
    answer out = refuse(what, 503, code, message);
    number_ = std::to_string(seconds);
    out.header("Retry-After", number_);
    return out;
}

answer forward_auth::ask_for_payment(
    route::outcome what, const route::served_route& route, const route::terms& price, std::string_view error
)
{
    url_.clear();
    route.append_resource_url(url_, now_.asked.path, now_.asked.scheme, now_.asked.host);
    const x402::requirement_view wanted = route.requirement(price, url_);
    x402::write_payment_required(offer_, json_, std::span(&wanted, 1), error);
    answer out(what, 402);
    out.header("PAYMENT-REQUIRED", offer_.header_value);
    out.header("Vary", page_depends_on);
    if (wants_page(now_.asked.accept, now_.asked.user_agent))
    {
        write_payment_page(text_, route, price);
        out.body(page_type, text_);
    }
    else
    {
        out.body(json_type, offer_.body);
    }
    return out;
}

/// The only maker of a 2xx. Says every header that an upstream may take for our word, empty where there is
/// nothing to say, so that a client's copy never reaches it.
answer forward_auth::grant(
    route::outcome what, const route::served_route& route, std::string_view payer, std::string_view receipt
)
{
    secret_ = nullptr;
    // It is sold, and never given to who has not paid.
    const bool is_paid = what == route::outcome::paid || what == route::outcome::paid_again;
    if (is_paid && route.credential() != nullptr)
    {
        secret_ = route.credential()->value();
        if (!secret_)
            return refuse_by(route::outcome::no_credential, route::told_of(route::outcome::no_credential));
    }
    answer out(what, 200);
    if (secret_)
        out.header("Authorization", *secret_);
    out.header("X-Payer", payer);
    out.header("X-Payment-Payer", payer);
    out.header("X-Payment-Status", payer.empty() ? "free" : "settled");
    out.header("X-Payment-Tx", "");  // the receipt names the transaction
    out.header("X-Payment-Response", receipt);
    out.header("Payment-Response", receipt);
    out.header("X-Verified-Wallet", "");
    return out;
}

answer forward_auth::refuse_spent(const x402::verdict_already_used& said)
{
    answer out = refuse(route::outcome::already_used, 409, "payment_already_used", told_of(said.cause));
    if (!said.receipt.empty())
    {
        out.header("PAYMENT-RESPONSE", said.receipt);
        out.header("X-PAYMENT-RESPONSE", said.receipt);
    }
    return out;
}

answer forward_auth::refuse_without_verdict(const x402::verdict_unavailable& said, const std::string& key)
{
    if (const auto withheld = warnings_.take(std::chrono::steady_clock::now()))
        log_.warn(
            "no verdict on a payment",
            {{"route", key},
             {"cause", x402::to_string(said.cause)},
             {"err", said.why},
             {"lines_withheld", *withheld}}
        );
    // What broke may have broken after the money moved.
    const bool may_be_charged = said.cause == x402::unavailable_cause::settlement_unknown ||
                                said.cause == x402::unavailable_cause::internal;
    const char* message =
        may_be_charged ? "the outcome of this payment is not known yet: send the same payment again"
                       : "payments cannot be taken now, nothing was charged by this request: send the same "
                         "payment again";
    const bool broken = said.cause == x402::unavailable_cause::facilitator_broken;
    answer out = refuse(outcome_of(said.cause), broken ? 502 : 503, "temporarily_unavailable", message);
    number_ = std::to_string(said.retry_after.count());
    out.header("Retry-After", number_);
    return out;
}

/// Adds what every answer says, counts it, and writes it.
void forward_auth::finish(
    answer& made,
    const route::table_entry* entry,
    std::string_view allowed_origin,
    time_point asked_at,
    http::response_writer& out
)
{
    made.header(
        "X-Portitor-Route", entry != nullptr ? std::string_view(entry->route->key()) : std::string_view()
    );
    made.header("Cache-Control", "no-store");
    if (!allowed_origin.empty() && made.status() != 200)
    {
        made.header("Access-Control-Allow-Origin", allowed_origin);
        made.header("Access-Control-Expose-Headers", told_to_pages);
        made.header("Vary", "Origin");
    }
    // Only routes that exist make a series: a client cannot fill our memory with names.
    if (entry != nullptr)
        entry->counters->add(made.what());
    else
        unknown_.add(made.what());
    made.write(out);
    duration_.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - asked_at).count());
}

/// Takes everything out of the question that the sale needs. errc::invalid for a payment that is none.
result<forward_auth::sale_ptr> forward_auth::prepare_sale()
{
    const forwarded_request& asked = now_.asked;
    auto offered = till_.decode(asked.payment->header, asked.payment->value);
    if (!offered)
        return offered.error();
    auto out = std::make_unique<pending_sale>();
    out->allowed_origin = now_.allowed_origin;
    sale& what = out->what;
    what.entry = std::move(now_.entry);
    what.price = now_.price;
    what.entry->route->append_resource_url(what.resource, asked.path, asked.scheme, asked.host);
    what.offered = std::move(*offered);
    what.method = asked.method;
    what.uri = asked.uri;
    what.request_id = asked.request_id;
    return out;
}

http::pending_answer forward_auth::sell_safely(sale_ptr begun, http::response_writer& out)
{
    std::string fault;
    try
    {
        http::delivery_listener listener = co_await sell(*begun, out);
        co_return listener;
    }
    catch (const boost::system::system_error& thrown)
    {
        if (thrown.code() == asio::error::operation_aborted)
            throw;
        fault = thrown.what();
    }
    catch (const std::exception& thrown)
    {
        fault = thrown.what();
    }
    const route::table_entry& entry = *begun->what.entry;
    log_.error("judging a payment threw", {{"route", entry.route->key()}, {"err", fault}});
    answer made = refuse_for_a_fault();
    finish(made, &entry, begun->allowed_origin, begun->asked_at, out);
    co_return http::delivery_listener();
}

http::pending_answer forward_auth::sell(pending_sale& begun, http::response_writer& out)
{
    sale_outcome came = co_await till_.sell(begun.what);
    // From here on nothing suspends: the answer is made of views.
    answer made = conclude(begun.what, came);
    finish(made, begun.what.entry.get(), begun.allowed_origin, begun.asked_at, out);
    auto* const paid = std::get_if<x402::verdict_paid>(&came.said);
    // Paid, and yet no grant (the credential has gone): what goes untold is the next copy's.
    if (paid == nullptr || made.status() != 200)
        co_return http::delivery_listener();
    auto right = std::make_shared<x402::delivery>(std::move(paid->answer));
    co_return [right = std::move(right)](bool delivered) {
        if (delivered)
            right->delivered();
    };
}

answer forward_auth::conclude(const sale& what, const sale_outcome& came)
{
    if (const auto* granted = std::get_if<x402::verdict_paid>(&came.said))
    {
        url_ = granted->payer.to_string();
        return grant(
            granted->again ? route::outcome::paid_again : route::outcome::paid,
            *what.entry->route,
            url_,
            granted->receipt
        );
    }
    if (const auto* refused = std::get_if<x402::verdict_payment_required>(&came.said))
        return ask_again(what, came.refused_as, *refused);
    if (const auto* used = std::get_if<x402::verdict_already_used>(&came.said))
        return refuse_spent(*used);
    return refuse_without_verdict(std::get<x402::verdict_unavailable>(came.said), what.entry->route->key());
}

answer forward_auth::ask_again(
    const sale& what, route::outcome refused_as, const x402::verdict_payment_required& said
)
{
    const x402::requirement_view wanted = what.entry->route->requirement(*what.price, what.resource);
    text_ = said.reason;
    if (!said.message.empty())
        text_ += ": " + said.message;
    x402::write_payment_required(offer_, json_, std::span(&wanted, 1), text_);
    answer out(refused_as, 402);
    out.header("PAYMENT-REQUIRED", offer_.header_value);
    out.header("Vary", page_depends_on);
    out.body(json_type, offer_.body);
    return out;
}

}  // namespace portitor::verifier
