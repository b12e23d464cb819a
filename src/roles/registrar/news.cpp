#include "roles/registrar/news.hpp"

#include "roles/registrar/reasons.hpp"

#include <portitor/api/resources.hpp>

namespace portitor::registrar {

using api::registration_phase;

void news::told(
    const kube::object& request,
    const kube::object_identity& offer,
    const request_status& before,
    const request_status& now
)
{
    if (now.reason == before.reason && now.phase == before.phase)
        return;
    const bool trouble = is_one_of(troubles, now.reason) || now.phase == registration_phase::failed;
    const std::initializer_list<log_field> about{
        {"request", request.meta.key().to_string()},
        {"phase", api::to_string(now.phase)},
        {"reason", now.reason},
        {"why", now.message},
    };
    if (trouble)
        log_.warn("registration", about);
    else
        log_.info("registration", about);
    numbers_
        .counter(
            "portitor_registrar_transitions_total",
            "What became of requests.",
            {{"phase", api::to_string(now.phase)}, {"reason", now.reason}}
        )
        .add();
    if (is_one_of(passing, now.reason))
        return;
    const std::string type = trouble ? "Warning" : "Normal";
    events_.record(api::registration_request_resource, request.meta, type, now.reason, now.message);
    if (!offer.uid.empty())
        events_.record(api::service_offer_resource, offer, type, "Registration" + now.reason, now.message);
}

void news::sent(const std::string& chain, operation what, bool replaces)
{
    numbers_
        .counter(
            "portitor_registrar_transactions_total",
            "Transactions that were signed.",
            {{"chain", chain}, {"operation", to_string(what)}, {"replaces", replaces ? "true" : "false"}}
        )
        .add();
}

void news::ignored(const kube::object& request, const std::string& why)
{
    log_.warn("a request is left alone", {{"request", request.meta.key().to_string()}, {"why", why}});
    events_.record(api::registration_request_resource, request.meta, "Warning", "Ignored", why);
}

}  // namespace portitor::registrar
