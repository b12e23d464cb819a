// The least that a gate has to do, by hand: reads the ForwardAuth request, finds the route by its key in a
// hash table, writes the 402 of both x402 versions around the URL, and base64, for each request anew. Nothing
// is checked that could be left out.
//
//   gate_raw_epoll PORT ROUTES        (as gate_data.py writes them)

#include "epoll_server.hpp"
#include "http_text.hpp"
#include "routes.hpp"

#include <cstdio>
#include <unordered_map>

namespace {

using bench::route;

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Two digits for each twelve bits.
const std::array<std::array<char, 2>, 4096> digit_pairs = [] {
    std::array<std::array<char, 2>, 4096> out{};
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = {digits[i >> 6], digits[i & 63]};
    return out;
}();

void append_base64(std::string& out, std::string_view text)
{
    const auto* in = reinterpret_cast<const unsigned char*>(text.data());
    const std::size_t begin = out.size();
    out.resize(begin + (text.size() + 2) / 3 * 4);
    char* to = out.data() + begin;
    std::size_t left = text.size();
    for (; left >= 3; left -= 3, in += 3, to += 4)
    {
        const unsigned bits = (unsigned{in[0]} << 16) | (unsigned{in[1]} << 8) | in[2];
        std::copy_n(digit_pairs[bits >> 12].data(), 2, to);
        std::copy_n(digit_pairs[bits & 4095].data(), 2, to + 2);
    }
    if (left == 0)
        return;
    const unsigned bits = (unsigned{in[0]} << 16) | (left == 2 ? unsigned{in[1]} << 8 : 0);
    to[0] = digits[bits >> 18];
    to[1] = digits[(bits >> 12) & 63];
    to[2] = left == 2 ? digits[(bits >> 6) & 63] : '=';
    to[3] = '=';
}

// What stands around the URL in the answers of a route.
struct served
{
    std::string prefix;
    std::string v1_before, v1_after, v2_before, v2_after;

    explicit served(const route& from) : prefix(from.prefix)
    {
        const std::string end = R"(,"asset":")" + from.asset + R"(","payTo":")" + from.pay_to +
                                R"(","maxTimeoutSeconds":)" + from.max_timeout_seconds +
                                R"(,"extra":{"name":")" + from.asset_name + R"(","version":")" +
                                from.asset_version + R"(","paymentFlow":"upfront"}}]})";
        const std::string about =
            R"(","description":")" + from.description + R"(","mimeType":"application/json")";
        v1_before =
            R"({"x402Version":1,"error":"payment required","accepts":[{"scheme":"exact","network":")" +
            from.v1_network + R"(","maxAmountRequired":")" + from.price + R"(","resource":")";
        v1_after = about + end;
        v2_before = R"({"x402Version":2,"error":"payment required","resource":{"url":")";
        v2_after = about + R"(},"accepts":[{"scheme":"exact","network":")" + from.network +
                   R"(","amount":")" + from.price + R"(")" + end;
    }
};

struct question
{
    std::string_view key, uri, host, scheme, method;
};

question read_question(std::string_view head)
{
    constexpr std::string_view bound = "GET /verify/";
    question out;
    if (head.starts_with(bound))
        out.key = head.substr(bound.size(), head.find(' ', bound.size()) - bound.size());
    bench::for_each_field(head, [&](std::string_view name, std::string_view value) {
        if (name.size() < 15 || name.size() > 18)
            return;
        if (bench::is_name(name, "x-forwarded-uri"))
            out.uri = value;
        else if (bench::is_name(name, "x-forwarded-host"))
            out.host = value;
        else if (bench::is_name(name, "x-forwarded-proto"))
            out.scheme = value;
        else if (bench::is_name(name, "x-forwarded-method"))
            out.method = value;
    });
    return out;
}

void append_escaped(std::string& out, std::string_view text)
{
    for (const char c : text)
    {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
}

class gate
{
public:
    explicit gate(const std::vector<route>& routes)
    {
        for (const route& each : routes)
            routes_.emplace(each.key, each);
    }

    std::size_t operator()(std::string_view input, std::string& output)
    {
        const std::size_t size = bench::end_of_head(input);
        if (size == input.npos)
            return 0;
        const question asked = read_question(input.substr(0, size));
        const std::string_view path = asked.uri.substr(0, asked.uri.find('?'));
        key_.assign(asked.key);
        const auto at = routes_.find(key_);
        if (at == routes_.end() || asked.method.empty() || !is_below(path, at->second.prefix))
            output += "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
        else
            ask_for_payment(at->second, asked, path, output);
        return size;
    }

private:
    static bool is_below(std::string_view path, std::string_view prefix)
    {
        return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
    }

    void ask_for_payment(const served& by, const question& asked, std::string_view path, std::string& output)
    {
        url_.clear();
        url_.append(asked.scheme).append("://");
        append_escaped(url_, asked.host);
        append_escaped(url_, path);
        json_.clear();
        json_.append(by.v2_before).append(url_).append(by.v2_after);
        const std::size_t body = by.v1_before.size() + url_.size() + by.v1_after.size();
        output += "HTTP/1.1 402 Payment Required\r\nContent-Type: application/json\r\nContent-Length: ";
        output += std::to_string(body);
        output += "\r\nPAYMENT-REQUIRED: ";
        append_base64(output, json_);
        output.append("\r\nX-Portitor-Route: ").append(asked.key);
        output += "\r\nCache-Control: no-store\r\n\r\n";
        output.append(by.v1_before).append(url_).append(by.v1_after);
    }

    std::unordered_map<std::string, served> routes_;
    std::string key_, url_, json_;  // kept for their memory
};

}  // namespace

int main(int count, char** arguments)
try
{
    if (count != 3)
        throw std::runtime_error("usage: gate_raw_epoll PORT ROUTES");
    const auto port = static_cast<std::uint16_t>(std::stoul(arguments[1]));
    bench::epoll_server server{gate(bench::read_routes(arguments[2]))};
    server.run(port, [] {});
}
catch (const std::exception& failure)
{
    std::fprintf(stderr, "gate_raw_epoll: %s\n", failure.what());
    return 1;
}
