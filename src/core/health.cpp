#include <portitor/core/health.hpp>

namespace portitor {

http::response health::answer(http::verb method, std::string_view target, const metrics& numbers) const
{
    const std::string_view path = target.substr(0, target.find('?'));
    const bool verbose = target.find("verbose") != target.npos;
    if (method != http::verb::get && method != http::verb::head)
        return http::make_response(http::status::method_not_allowed, "only GET\n");
    if (path == "/healthz")
        return evaluate(liveness_, verbose);
    if (path == "/readyz")
        return evaluate(readiness_, verbose);
    if (path == "/metrics")
        return http::make_response(
            http::status::ok, numbers.expose(), "text/plain; version=0.0.4; charset=utf-8"
        );
    return http::make_response(http::status::not_found, "try /healthz, /readyz or /metrics\n");
}

http::response health::evaluate(const checks& all, bool verbose) const
{
    std::string report;
    bool good = true;
    for (const auto& [name, of] : all)
    {
        const auto reason = of();
        good = good && !reason;
        report += reason ? fmt::format("[-]{} failed: {}\n", name, *reason) : fmt::format("[+]{} ok\n", name);
    }
    for (const auto& [name, of] : warnings_)
    {
        const auto reason = of();
        report += reason ? fmt::format("[!]{} warns: {}\n", name, *reason) : fmt::format("[+]{} ok\n", name);
    }
    std::string body = good ? "ok\n" : "not ok\n";
    if (verbose || !good)
        body = report + body;
    return http::make_response(good ? http::status::ok : http::status::service_unavailable, body);
}

}  // namespace portitor
