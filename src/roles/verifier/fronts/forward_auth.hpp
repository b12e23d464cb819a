#pragma once

#include "roles/verifier/fronts/answer.hpp"
#include "roles/verifier/fronts/cors.hpp"
#include "roles/verifier/fronts/forwarded_request.hpp"
#include "roles/verifier/line_budget.hpp"
#include "roles/verifier/till.hpp"
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
/// 2xx is made in one place only, grant(), from a settled payment or a rule that says free; whatever
/// else happens is a refusal. One for each thread that serves connections.
class forward_auth
{
public:
    /// All of them must outlive this. The till and the numbers are shared by all threads.
    forward_auth(
        const published<route::route_table>& routes,
        const till& counter,
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

    /// A payment that is to be judged, and what its answer takes; nothing of it is scratch.
    struct pending_sale
    {
        sale what;
        std::string_view allowed_origin;
        time_point asked_at;
    };
    using sale_ptr = std::unique_ptr<pending_sale>;
    using judgement = std::variant<answer, sale_ptr>;

    /// What is known of a question when it has been read.
    struct question
    {
        forwarded_request asked;
        route::entry_ptr entry;               ///< null where no route is known
        const route::terms* price = nullptr;  ///< null where the route does not hold the path
        std::string_view allowed_origin;      ///< for CORS; empty where it is not told
        bool has_token = false;               ///< of the offer: a credential may be given out
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
    http::pending_answer sell_safely(sale_ptr begun, http::response_writer& out);
    http::pending_answer sell(pending_sale& begun, http::response_writer& out);
    answer conclude(const sale& what, const sale_outcome& came);
    answer ask_again(const sale& what, route::outcome refused_as, const x402::verdict_payment_required& said);

    published<route::route_table>::reader routes_;
    const till& till_;
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
