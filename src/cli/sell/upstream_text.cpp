#include "cli/sell/upstream_text.hpp"

#include "cli/output/text.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace portitor::cli::sell {

namespace {

constexpr std::size_t longest_label = 63;

bool is_label(std::string_view text)
{
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !text.empty() && text.size() <= longest_label && plain(text.front()) && plain(text.back()) &&
           std::all_of(text.begin(), text.end(), [&](char c) { return plain(c) || c == '-'; });
}

std::vector<std::string> labels_of(std::string_view host)
{
    std::vector<std::string> out;
    while (true)
    {
        const std::size_t point = host.find('.');
        out.emplace_back(host.substr(0, point));
        if (point == host.npos)
            return out;
        host.remove_prefix(point + 1);
    }
}

bool is_service(const std::vector<std::string>& labels)
{
    if (!std::all_of(labels.begin(), labels.end(), is_label))
        return false;
    switch (labels.size())
    {
    case 1:
    case 2:
        return true;
    case 3:
        return labels[2] == "svc";
    case 5:
        return labels[2] == "svc" && labels[3] == "cluster" && labels[4] == "local";
    default:
        return false;
    }
}

bool is_address(std::string_view host)
{
    return host == "localhost" || host.starts_with('[') ||
           (host.find('.') != host.npos &&
            std::all_of(host.begin(), host.end(), [](char c) { return c == '.' || (c >= '0' && c <= '9'); }));
}

result<std::uint16_t> read_port(std::string_view text, const std::string& whole)
{
    std::uint16_t out = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (failed != std::errc() || end != text.data() + text.size() || out == 0)
        return fail(
            errc::invalid, "\"{}\": the port must be a number from 1 to 65535", printable(whole, 200)
        );
    return out;
}

error outside(const std::string& whole)
{
    return fail(
        errc::invalid,
        "\"{}\" is no Service of the cluster: write SERVICE, SERVICE.NAMESPACE or "
        "SERVICE.NAMESPACE.svc.cluster.local, with :PORT where it is not --port. What runs "
        "elsewhere is sold by "
        "way of a Service that leads there",
        printable(whole, 200)
    );
}

}  // namespace

result<upstream_place> read_upstream(std::string_view text)
{
    const std::string whole(text);
    if (text.starts_with("https://"))
        return fail(
            errc::invalid,
            "\"{}\": the gateway reaches a Service by http; write it without https://, or with http://",
            printable(whole, 200)
        );
    if (text.starts_with("http://"))
        text.remove_prefix(7);
    if (text.ends_with('/'))
        text.remove_suffix(1);
    if (text.find('/') != text.npos)
        return fail(
            errc::invalid,
            "\"{}\": the upstream is a Service and no path of it; see --health-path and --route",
            printable(whole, 200)
        );
    if (text.starts_with('['))
        return outside(whole);
    upstream_place out;
    if (const std::size_t colon = text.find(':'); colon != text.npos)
    {
        const auto port = read_port(text.substr(colon + 1), whole);
        if (!port)
            return port.error();
        out.port = *port;
        text = text.substr(0, colon);
    }
    if (text.ends_with('.'))
        text.remove_suffix(1);
    const std::vector<std::string> labels = labels_of(text);
    if (is_address(text) || !is_service(labels))
        return outside(whole);
    out.service = labels[0];
    if (labels.size() > 1)
        out.ns = labels[1];
    return out;
}

}  // namespace portitor::cli::sell
