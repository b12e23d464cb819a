#include "cli/doctor/finding.hpp"

#include "cli/output/text.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <span>

namespace portitor::cli::doctor {

namespace {

// A hostile cluster makes a long report, not an endless one.
constexpr std::size_t most_findings = 200;

}  // namespace

const char* to_string(verdict value) noexcept
{
    switch (value)
    {
    case verdict::ok:
        return "ok";
    case verdict::info:
        return "info";
    case verdict::warning:
        return "warning";
    case verdict::failure:
        return "failure";
    case verdict::not_checked:
        return "not checked";
    }
    return "";
}

void notebook::add(std::string_view check, verdict how, std::string_view words, std::string_view advice)
{
    if (findings_.size() > most_findings)
        return;
    if (findings_.size() == most_findings)
    {
        findings_.push_back(
            {area_, "more", verdict::not_checked, "there is more to say than is shown here", {}}
        );
        return;
    }
    findings_.push_back({area_, printable(check, 300), how, printable(words), printable(advice)});
}

void notebook::take(const notebook& other)
{
    for (const finding& each : other.findings_)
        add(each.check, each.how, each.words, each.advice);
}

void notebook::unseen(std::string_view check, const kube::api_error& why, std::string_view right)
{
    if (why.http_status() == 403)
        return not_checked(check, fmt::format("the right to {} is missing", right));
    not_checked(check, why.message());
}

std::string some_of(const std::vector<std::string>& names, std::size_t most)
{
    const std::span<const std::string> shown(names.data(), std::min(names.size(), most));
    std::string out = fmt::format("{}", fmt::join(shown, ", "));
    if (names.size() > most)
        out += fmt::format(" and {} more", names.size() - most);
    return out;
}

}  // namespace portitor::cli::doctor
