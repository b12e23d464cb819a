#pragma once

#include "roles/verifier/answer.hpp"
#include "roles/verifier/cors.hpp"
#include "roles/verifier/forwarded_request.hpp"
#include "roles/verifier/line_budget.hpp"
#include "roles/verifier/payment_desk.hpp"
#include "route/route_table.hpp"
#include "route/ruling.hpp"

#include <portitor/core/log.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/core/published.hpp>
#include <portitor/http/server.hpp>
#include <portitor/x402/payment_required.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace portitor::verifier {

/// Answers Traefik's ForwardAuth: 2xx lets the request pass to the upstream, everything else goes to the
/// client as it is. At /verify/<namespace>/<offer> the gateway names the route; at /verify the path does. A
/// 2xx is made in one place only, grant(), from a settled payment, a rule that says free, or a preflight that
/// the operator lets pass; whatever else happens is a refusal. One for each thread that serves connections.
class forward_auth
{
public:
    /// All of them must outlive this. The desk and the numbers are shared by all threads.
    forward_auth(
        const published<route::route_table>& routes,
        payment_desk& desk,
        const x402::network_table& networks,
        const cors_policy& cors,
        logger log,
        metrics& numbers
    );

    /// Answers at once what needs no payment judged; see http::handler. Never throws but for cancellation: an
    /// exception on the way is a 503.
    std::optional<http::pending_answer>
    answer_to(const http::server_request& message, http::response_writer& out);

private:
    using time_point = std::chrono::steady_clock::time_point;

    /// A payment that is to be judged, with everything that the judgement takes: nothing of it is scratch.
    struct sale;
    using sale_ptr = std::unique_ptr<sale>;
    using judgement = std::variant<answer, sale_ptr>;

    /// What is known of a question when it has been read.
    struct question
    {
        forwarded_request asked;
        route::entry_ptr entry;               ///< null where no route is known
        const route::terms* price = nullptr;  ///< null where the route does not hold the path
        std::string_view allowed_origin;      ///< for CORS; empty where it is not told
    };

    judgement judge_safely(const http::server_request& message);
    judgement judge(const http::server_request& message);
    std::optional<answer> find_route(const http::server_request& message);
    answer ask_for_payment(
        route::outcome what,
        const route::served_route& route,
        const route::terms& price,
        std::string_view error
    );
    answer refuse_by(route::outcome what, const route::told& why);
    answer refuse(route::outcome what, unsigned status, std::string_view code, std::string_view message);
    answer refuse_for_now(
        route::outcome what, std::string_view code, std::string_view message, std::int64_t seconds
    );
    answer grant(
        route::outcome what,
        const route::served_route& route,
        std::string_view payer,
        std::string_view receipt
    );
    answer refuse_spent(const x402::verdict_already_used& said);
    answer refuse_without_verdict(const x402::verdict_unavailable& said, const std::string& key);
    answer refuse_for_a_fault();
    void finish(
        answer& made,
        const route::table_entry* entry,
        std::string_view allowed_origin,
        time_point asked_at,
        http::response_writer& out
    );

    result<sale_ptr> prepare_sale();
    http::pending_answer sell_safely(sale_ptr what, time_point asked_at, http::response_writer& out);
    http::pending_answer sell(sale& what, time_point asked_at, http::response_writer& out);
    boost::asio::awaitable<x402::verdict> judge_payment(sale& what);
    boost::asio::awaitable<x402::verdict> judge_new(sale& what);
    answer conclude(const sale& what, const x402::verdict& said);
    answer ask_again(const sale& what, const x402::verdict_payment_required& said);

    published<route::route_table>::reader routes_;
    payment_desk& desk_;
    const x402::network_table& networks_;
    const cors_policy& cors_;
    logger log_;
    line_budget warnings_;
    histogram& duration_;
    route::route_counters unknown_;

    // Worked in anew for each answer, never across a suspension.
    question now_;
    std::string url_;
    std::string json_;
    std::string text_;
    std::string number_;
    x402::payment_required offer_;
    std::shared_ptr<const std::string> secret_;
};

}  // namespace portitor::verifier
