#include <portitor/http/health_endpoint.hpp>

namespace portitor::http {

namespace {

response answer_report(const health::report& of, bool verbose)
{
    std::string body = of.good ? "ok\n" : "not ok\n";
    if (verbose || !of.good)
        body = of.text + body;
    return make_response(of.good ? status::ok : status::service_unavailable, body);
}

}  // namespace

response answer_health(verb method, std::string_view target, const health& checks, const metrics& numbers)
{
    const std::string_view path = target.substr(0, target.find('?'));
    const bool verbose = target.find("verbose") != target.npos;
    if (method != verb::get && method != verb::head)
        return make_response(status::method_not_allowed, "only GET\n");
    if (path == "/healthz")
        return answer_report(checks.liveness(), verbose);
    if (path == "/readyz")
        return answer_report(checks.readiness(), verbose);
    if (path == "/metrics")
        return make_response(status::ok, numbers.expose(), "text/plain; version=0.0.4; charset=utf-8");
    return make_response(status::not_found, "try /healthz, /readyz or /metrics\n");
}

}  // namespace portitor::http
