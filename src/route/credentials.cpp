#include "route/credentials.hpp"

#include <portitor/core/small_file.hpp>

#include <algorithm>

namespace portitor::route {

namespace {

constexpr std::size_t longest = 8 * 1024;

result<std::string> read_one_line(const std::string& path)
{
    auto text = read_small_file(path);
    if (!text)
        return text.error();
    while (text->ends_with('\n') || text->ends_with('\r'))
        text->pop_back();
    const bool one_line =
        std::all_of(text->begin(), text->end(), [](char c) { return c >= ' ' && c < '\x7f'; });
    if (text->empty() || text->size() > longest || !one_line)
        return fail(errc::invalid, "{} must hold one line of at most {} printable characters", path, longest);
    return text;
}

}  // namespace

bool credential::open_to(std::string_view ns) const
{
    return std::any_of(entry_.namespaces.begin(), entry_.namespaces.end(), [&](const std::string& each) {
        return each == ns || each == "*";
    });
}

std::shared_ptr<const std::string> credential::value() const
{
    const std::lock_guard lock(mutex_);
    return value_;
}

result<void> credential::refresh()
{
    auto text = read_one_line(entry_.file);
    if (!text)
        return text.error();
    const std::lock_guard lock(mutex_);
    if (!value_ || *value_ != *text)
        value_ = std::make_shared<const std::string>(std::move(*text));
    has_value_.store(true, std::memory_order_release);
    return {};
}

credential_store::credential_store(const std::vector<config::credential_entry>& entries)
{
    for (const config::credential_entry& each : entries)
        all_.push_back(std::make_unique<credential>(each));
}

result<const credential*> credential_store::find(std::string_view name, std::string_view ns) const
{
    for (const auto& each : all_)
    {
        if (each->name() == name && each->open_to(ns))
            return each.get();
    }
    return fail(
        errc::invalid, "\"{}\" is no credential that the operator has opened to the namespace {}", name, ns
    );
}

std::vector<std::pair<std::string, error>> credential_store::refresh()
{
    std::vector<std::pair<std::string, error>> failures;
    for (const auto& each : all_)
    {
        auto read = each->refresh();
        if (!read)
            failures.emplace_back(each->name(), read.error());
    }
    return failures;
}

}  // namespace portitor::route
