#include <portitor/x402/verdict.hpp>

namespace portitor::x402 {

const char* to_string(unavailable_cause cause) noexcept
{
    switch (cause)
    {
    case unavailable_cause::busy:
        return "busy";
    case unavailable_cause::facilitator:
        return "facilitator";
    case unavailable_cause::facilitator_broken:
        return "facilitator_broken";
    case unavailable_cause::settlement_unknown:
        return "settlement_unknown";
    case unavailable_cause::store:
        return "store";
    case unavailable_cause::internal:
        return "internal";
    }
    return "internal";
}

}  // namespace portitor::x402
