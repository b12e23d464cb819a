#include "cli/sell/findings.hpp"

#include "cli/output/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace portitor::cli::sell {

namespace {

struct look
{
    const char* word;
    tone how;
};

look look_of(finding_level level)
{
    switch (level)
    {
    case finding_level::ok:
        return {"ok", tone::good};
    case finding_level::not_checked:
        return {"not checked", tone::dim};
    case finding_level::warning:
        return {"warning", tone::warning};
    case finding_level::error:
        break;
    }
    return {"error", tone::bad};
}

}  // namespace

bool findings::has_error() const
{
    return std::any_of(all_.begin(), all_.end(), [](const finding& each) {
        return each.level == finding_level::error;
    });
}

void findings::print(std::ostream& out, bool colour) const
{
    const palette colours(colour);
    for (const finding& each : all_)
    {
        const look shown = look_of(each.level);
        out << "  " << colours.paint(shown.how, fmt::format("{:12}", shown.word))
            << fmt::format("{:10}", each.about) << printable(each.words, 2000) << '\n';
    }
    out.flush();
}

}  // namespace portitor::cli::sell
