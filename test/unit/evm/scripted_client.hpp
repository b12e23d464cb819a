#pragma once

#include <portitor/http/message.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <functional>
#include <string>
#include <vector>

/// Answers requests as a test says, and keeps them.
class scripted_client final : public portitor::http::client
{
public:
    /// What came, and where to.
    struct seen
    {
        std::string host;
        portitor::http::request message;
    };

    using answer = portitor::result<portitor::http::response>;

    std::function<answer(const seen&)> script;
    std::vector<seen> requests;

    boost::asio::awaitable<answer>
    send(portitor::http::origin to, portitor::http::request request, portitor::http::client_options) override
    {
        requests.push_back({to.host, std::move(request)});
        co_return script(requests.back());
    }

    boost::asio::awaitable<portitor::result<std::unique_ptr<portitor::http::body_stream>>>
    open(portitor::http::origin, portitor::http::request, portitor::http::client_options) override
    {
        co_return portitor::fail(portitor::errc::invalid, "nothing here is streamed");
    }

    portitor::result<void> use_tls(const portitor::http::tls_settings&) override
    {
        return portitor::fail(portitor::errc::invalid, "there are no certificates here");
    }
};

inline portitor::http::response answer_with(unsigned status, std::string body)
{
    return portitor::http::make_response(
        static_cast<portitor::http::status>(status), std::move(body), "application/json"
    );
}

/// A JSON-RPC answer to this very call.
inline portitor::http::response rpc_answer(const scripted_client::seen& to, boost::json::object members)
{
    members["jsonrpc"] = "2.0";
    members["id"] = boost::json::parse(to.message.body()).at("id");
    return answer_with(200, boost::json::serialize(members));
}

inline std::string rpc_method(const scripted_client::seen& of)
{
    return std::string(boost::json::parse(of.message.body()).at("method").as_string());
}
