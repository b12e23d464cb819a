#include <portitor/core/health.hpp>

#include <fmt/format.h>

namespace portitor {

health::report health::evaluate(const checks& all) const
{
    report out;
    for (const auto& [name, of] : all)
    {
        const auto reason = of();
        out.good = out.good && !reason;
        out.text +=
            reason ? fmt::format("[-]{} failed: {}\n", name, *reason) : fmt::format("[+]{} ok\n", name);
    }
    for (const auto& [name, of] : warnings_)
    {
        const auto reason = of();
        out.text +=
            reason ? fmt::format("[!]{} warns: {}\n", name, *reason) : fmt::format("[+]{} ok\n", name);
    }
    return out;
}

}  // namespace portitor
