#include <portitor/config/setters.hpp>
#include <portitor/http/message.hpp>
#include <portitor/kube/selector.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

namespace portitor::config {

setter set_text(std::string& into)
{
    return [&into](const std::string& value) -> result<void> {
        into = value;
        return {};
    };
}

setter set_bool(bool& into)
{
    return [&into](const std::string& value) -> result<void> {
        if (value != "true" && value != "false")
            return fail(errc::invalid, "\"{}\" is neither true nor false", value);
        into = value == "true";
        return {};
    };
}

setter set_number(std::uint32_t& into)
{
    return [&into](const std::string& value) -> result<void> {
        std::uint32_t number = 0;
        const char* last = value.data() + value.size();
        const auto [end, failure] = std::from_chars(value.data(), last, number);
        if (failure != std::errc() || end != last || value.empty())
            return fail(errc::invalid, "\"{}\" is no whole number", value);
        into = number;
        return {};
    };
}

setter set_seconds(std::chrono::seconds& into)
{
    return [&into](const std::string& value) -> result<void> {
        std::uint32_t number = 0;
        const char* last = value.data() + value.size();
        const auto [end, failure] = std::from_chars(value.data(), last, number);
        const std::string_view unit(end, static_cast<std::size_t>(last - end));
        if (failure != std::errc() || (unit != "s" && unit != "m" && unit != "h") || number > 86400)
            return fail(errc::invalid, "\"{}\" is no time such as 15s, 2m or 24h", value);
        if (unit == "h")
            into = std::chrono::hours(number);
        else
            into = unit == "s" ? std::chrono::seconds(number) : std::chrono::minutes(number);
        return {};
    };
}

setter set_bytes(std::uint64_t& into)
{
    return [&into](const std::string& value) -> result<void> {
        constexpr std::string_view units = "KMGT";
        std::uint32_t number = 0;
        const char* last = value.data() + value.size();
        const auto [end, failure] = std::from_chars(value.data(), last, number);
        const std::string_view unit(end, static_cast<std::size_t>(last - end));
        const auto power = unit.size() == 2 && unit[1] == 'i' ? units.find(unit[0]) : units.npos;
        // A million Ti fit.
        if (failure != std::errc() || number > 1'000'000 * (unit.empty() ? 1'000U : 1U) ||
            (!unit.empty() && power == units.npos))
            return fail(errc::invalid, "\"{}\" is no size such as 512Mi or 4Gi", value);
        into = std::uint64_t{number} << (unit.empty() ? 0 : 10 * (power + 1));
        return {};
    };
}

setter set_url(std::string& into)
{
    return [&into](const std::string& value) -> result<void> {
        if (!value.empty())
        {
            const auto parsed = http::parse_url(value);
            if (!parsed)
                return parsed.error();
        }
        into = value;
        while (!into.empty() && into.back() == '/')
            into.pop_back();
        return {};
    };
}

setter set_key(kube::object_key& into)
{
    return [&into](const std::string& value) -> result<void> {
        if (value.empty())
        {
            into = {};
            return {};
        }
        const auto slash = value.find('/');
        if (slash == value.npos || slash == 0 || slash + 1 == value.size() ||
            value.find('/', slash + 1) != value.npos)
            return fail(errc::invalid, "\"{}\" is not NAMESPACE/NAME", value);
        into = {value.substr(0, slash), value.substr(slash + 1)};
        return {};
    };
}

setter set_service_port(service_port& into)
{
    return [&into](const std::string& value) -> result<void> {
        service_port read;
        const auto colon = value.find(':');
        if (colon != value.npos)
        {
            const char* last = value.data() + value.size();
            const auto [end, failure] = std::from_chars(value.data() + colon + 1, last, read.port);
            if (failure != std::errc() || end != last || read.port == 0)
                return fail(errc::invalid, "\"{}\" does not end with a port from 1 to 65535", value);
        }
        auto named = set_key(read.service)(value.substr(0, colon));
        if (!named || colon == 0)
            return fail(errc::invalid, "\"{}\" is neither NAMESPACE/NAME nor NAMESPACE/NAME:PORT", value);
        into = std::move(read);
        return {};
    };
}

setter set_origins(std::vector<std::string>& into)
{
    return [&into](const std::string& value) -> result<void> {
        std::vector<std::string> read;
        std::istringstream words(value);
        for (std::string each; words >> each;)
        {
            // A browser writes it in one way only, and it is compared to the letter.
            const auto url = http::parse_url(each);
            const bool has_capitals =
                std::any_of(each.begin(), each.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
            if (each != "*" && (!url || url->origin.to_string() != each || has_capitals))
                return fail(
                    errc::invalid, "\"{}\" is neither * nor an origin such as https://shop.example", each
                );
            read.push_back(std::move(each));
        }
        into = std::move(read);
        return {};
    };
}

setter set_selector(std::string& into)
{
    return [&into](const std::string& value) -> result<void> {
        const auto read = kube::make_predicate("", value, "");
        if (!read)
            return read.error();
        into = value;
        return {};
    };
}

setter set_one_of(std::string& into, std::vector<std::string> known)
{
    return [&into, known = std::move(known)](const std::string& value) -> result<void> {
        if (std::find(known.begin(), known.end(), value) == known.end())
            return fail(errc::invalid, "\"{}\" is none of {}", value, fmt::join(known, ", "));
        into = value;
        return {};
    };
}

setter append_text(std::vector<std::string>& into)
{
    return [&into](const std::string& value) -> result<void> {
        into.push_back(value);
        return {};
    };
}

setter set_level(log_level& into)
{
    return [&into](const std::string& value) -> result<void> {
        static const std::map<std::string, log_level> names{
            {"debug", log_level::debug},
            {"info", log_level::info},
            {"warn", log_level::warn},
            {"error", log_level::error}};
        const auto at = names.find(value);
        if (at == names.end())
            return fail(errc::invalid, "\"{}\" is none of debug, info, warn, error", value);
        into = at->second;
        return {};
    };
}

setter set_format(log_format& into)
{
    return [&into](const std::string& value) -> result<void> {
        if (value != "json" && value != "text")
            return fail(errc::invalid, "\"{}\" is neither json nor text", value);
        into = value == "json" ? log_format::json : log_format::text;
        return {};
    };
}

}  // namespace portitor::config
