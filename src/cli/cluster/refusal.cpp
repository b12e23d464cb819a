#include "cli/cluster/refusal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace portitor::cli {

namespace {

// "expected string, got &value.valueUnstructured{Value:0.01}": what comes after is Go's.
std::string expectation(std::string_view what)
{
    static constexpr std::pair<std::string_view, std::string_view> known[] = {
        {"expected string", "a text is expected, so numbers and words such as yes stand in quotes"},
        {"expected numeric", "a number is expected, without quotes"},
        {"expected boolean", "true or false is expected"},
        {"expected list", "a list is expected"},
        {"expected map", "a mapping is expected"},
        {"field not declared in schema",
         "the cluster's custom resource has no such field; it may be of another version of Portitor"}};
    for (const auto& [begin, words] : known)
    {
        if (what.starts_with(begin))
            return std::string(words);
    }
    return std::string(what.substr(0, what.find(", got ")));
}

// One fault of structured-merge-diff: ".spec.a: expected …".
std::string fault_in_words(std::string_view line)
{
    line.remove_prefix(std::min(line.find_first_not_of(" ."), line.size()));
    const std::size_t colon = line.find(": ");
    if (colon == line.npos)
        return std::string(line);
    return fmt::format("{}: {}", line.substr(0, colon), expectation(line.substr(colon + 2)));
}

// "failed to create typed patch object (shop/hello; obol.org/v1alpha1, Kind=ServiceOffer): .spec.a: expected
// …", or "…: errors:" and a line for each.
std::optional<std::string> merge_faults(std::string_view message)
{
    constexpr std::string_view end_of_head = "): ";
    constexpr std::string_view several = "errors:\n";
    const std::size_t head = message.find(end_of_head);
    if (!message.starts_with("failed to create typed ") || head == message.npos)
        return std::nullopt;
    message.remove_prefix(head + end_of_head.size());
    if (message.starts_with(several))
        message.remove_prefix(several.size());
    std::string out;
    while (!message.empty())
    {
        const std::size_t end = std::min(message.find('\n'), message.size());
        out += (out.empty() ? "" : "; ") + fault_in_words(message.substr(0, end));
        message.remove_prefix(std::min(end + 1, message.size()));
    }
    return out;
}

}  // namespace

std::string refusal_in_words(const kube::api_error& why)
{
    if (auto faults = merge_faults(why.message()))
        return *faults;
    std::string out;
    for (const kube::status_cause& each : why.causes())
    {
        if (!each.field.empty())
            out += fmt::format("{}{}: {}", out.empty() ? "" : "; ", each.field, each.message);
    }
    return out.empty() ? why.message() : out;
}

bool is_missing_right(const kube::api_error& why)
{
    return why.http_status() == 403 && why.message().find("is forbidden: User") != std::string::npos;
}

std::string policy_in_words(const kube::api_error& why)
{
    constexpr std::string_view before[] = {"denied request: ", "denied the request: "};
    for (const std::string_view each : before)
    {
        if (const std::size_t at = why.message().find(each); at != std::string::npos)
            return why.message().substr(at + each.size());
    }
    return why.message();
}

}  // namespace portitor::cli
