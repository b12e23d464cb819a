#include "cli/doctor/web.hpp"

#include "cli/doctor/looking.hpp"
#include "cli/output/masked.hpp"
#include "cli/output/text.hpp"

namespace portitor::cli::doctor {

namespace asio = boost::asio;

namespace {

std::string text_of(boost::core::string_view from)
{
    return {from.data(), from.size()};
}

web_answer read_header(unsigned status, const boost::beast::http::fields& headers)
{
    web_answer out;
    out.status = status;
    out.location = shown(text_of(headers[http::field::location]));
    out.route = text_of(headers["X-Portitor-Route"]);
    return out;
}

}  // namespace

asio::awaitable<result<web_answer>>
get(const patient& of, std::string url, std::string host, std::size_t most_body)
{
    const auto where = http::parse_url(url);
    if (!where)
        co_return where.error();
    http::request message(http::verb::get, where->target, 11);
    if (!host.empty())
        message.set(http::field::host, host);
    message.set(http::field::accept, "application/json");
    http::client_options options;
    options.timeout = of.limit;
    options.max_body = most_body;
    options.pooled = false;
    const auto asked = of.around.timers.now();
    if (most_body == 0)
    {
        const auto answer = co_await of.web.open(where->origin, std::move(message), options);
        if (!answer)
            co_return answer.error();
        web_answer out = read_header((*answer)->status_code(), (*answer)->headers());
        out.milliseconds = since(of.around.timers, asked);
        co_return out;
    }
    auto answer = co_await of.web.send(where->origin, std::move(message), options);
    if (!answer)
        co_return answer.error();
    web_answer out = read_header(answer->result_int(), answer->base());
    out.body = std::move(answer->body());
    out.milliseconds = since(of.around.timers, asked);
    co_return out;
}

std::string shown(const std::string& url)
{
    return printable(masked_url(url.substr(0, url.find_first_of("?#"))), 200);
}

}  // namespace portitor::cli::doctor
