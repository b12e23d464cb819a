#include "cli/sell/why_not_sold.hpp"

#include "cli/output/text.hpp"
#include "cli/sell/hints.hpp"
#include "cli/sell/offer_list.hpp"
#include "offer/drain.hpp"

#include <fmt/format.h>

namespace portitor::cli::sell {

namespace {

constexpr const char* how_it_stands = "portitor sell status {name} -n {ns}";

std::string named(std::string words, const char* command, const kube::object& offer)
{
    return fmt::format("{}\n  {}", words, command_for(command, offer));
}

}  // namespace

std::string why_not_sold(const kube::object& offer, clock::time_point now)
{
    const auto spec = api::parse_service_offer(offer);
    if (spec && spec->drain_at)
    {
        const offer::ending end = offer::ending_of(*spec, now);
        if (end.stage == offer::drain_stage::drained)
            return named(
                fmt::format(
                    "it was stopped, and is taken down since {}. To sell it again:",
                    to_rfc3339(end.sold_until)
                ),
                "portitor sell resume {name} -n {ns}",
                offer
            );
    }
    const kube::condition ready = ready_of(offer);
    if (ready.is_true())
        return {};
    return named(
        fmt::format(
            "it is not published{}: {}. What to do:",
            ready.reason.empty() ? std::string() : " (" + printable(ready.reason, 100) + ")",
            printable(ready.message, 500)
        ),
        how_it_stands,
        offer
    );
}

}  // namespace portitor::cli::sell
