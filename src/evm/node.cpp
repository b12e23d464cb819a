#include <portitor/evm/node.hpp>

namespace portitor::evm {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

// The operator's first choice is tried again after this time on another.
constexpr std::chrono::minutes absence(1);

/// Whether another node may do better.
bool is_failure_of_node(const rpc_error& what)
{
    return what.code() != errc::refused || what.refusal() == rpc_refusal::retry;
}

}  // namespace

result<node> node::make(
    http::client& client,
    const timekeeper& time,
    std::uint64_t chain_id,
    std::span<const std::string> urls,
    rpc_transport allowed
)
{
    node made(time, chain_id);
    for (const std::string& each : urls)
    {
        auto rpc = json_rpc::make(client, each, allowed);
        if (!rpc)
            return rpc.error();
        made.endpoints_.push_back({std::move(*rpc)});
    }
    if (made.endpoints_.empty())
        return fail(errc::invalid, "no URL of a node is given");
    return made;
}

asio::awaitable<rpc_result<json::value>>
node::call(std::string method, json::array params, std::chrono::milliseconds timeout)
{
    patience limit = [timeout](std::size_t) { return timeout; };
    auto answer = co_await ask_in_turn(std::move(method), std::move(params), std::move(limit));
    co_return answer;
}

asio::awaitable<rpc_result<json::value>>
node::call_within(std::string method, json::array params, std::chrono::milliseconds timeout)
{
    const auto deadline = time_->now() + timeout;
    patience limit = [this, deadline](std::size_t left) {
        const auto all = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - time_->now());
        return left > 1 ? all / 2 : all;
    };
    auto answer = co_await ask_in_turn(std::move(method), std::move(params), std::move(limit));
    co_return answer;
}

asio::awaitable<rpc_result<json::value>>
node::ask_in_turn(std::string method, json::array params, patience limit)
{
    return_to_first();
    rpc_result<json::value> answer;
    for (std::size_t tried = 0; tried < endpoints_.size(); ++tried)
    {
        const std::size_t which = current_;
        const auto timeout = limit(endpoints_.size() - tried);
        if (timeout.count() <= 0)
        {
            answer = rpc_error(fail(errc::timed_out, "{}: no time was left to ask the node", method));
            break;
        }
        answer = co_await ask(which, method, params, timeout);
        if (answer || !is_failure_of_node(answer.error()))
            co_return answer;
        endpoints_[which].is_of_chain = false;
        // Unless a call beside this one has gone on already.
        if (current_ != which)
            continue;
        if (which == 0)
            left_first_ = time_->now();
        current_ = (which + 1) % endpoints_.size();
    }
    co_return answer;
}

asio::awaitable<rpc_result<json::value>>
node::ask(std::size_t which, std::string method, json::array params, std::chrono::milliseconds timeout)
{
    const auto deadline = time_->now() + timeout;
    const auto right = co_await check_chain(which, timeout);
    if (!right)
        co_return right.error();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - time_->now());
    if (left.count() <= 0)
        co_return rpc_error(fail(errc::timed_out, "{}: no time was left to ask the node", method));
    auto answer = co_await endpoints_[which].rpc.ask(std::move(method), std::move(params), left);
    co_return answer;
}

asio::awaitable<rpc_result<void>> node::check_chain(std::size_t which, std::chrono::milliseconds timeout)
{
    if (endpoints_[which].is_of_chain)
        co_return rpc_result<void>();
    const auto answer = co_await endpoints_[which].rpc.ask("eth_chainId", {}, timeout);
    if (!answer)
        co_return answer.error();
    const json::string* text = answer->if_string();
    const auto said = text != nullptr ? parse_quantity(*text) : result<u256>(fail(errc::protocol, ""));
    if (!said)
        co_return rpc_error(fail(errc::protocol, "eth_chainId: the answer is no number"));
    if (*said != chain_id_)
        co_return rpc_error(
            fail(
                errc::invalid, "the node is one of chain {}, and not of chain {}", to_string(*said), chain_id_
            ),
            rpc_refusal::wrong_chain,
            {}
        );
    endpoints_[which].is_of_chain = true;
    co_return rpc_result<void>();
}

void node::return_to_first()
{
    if (current_ != 0 && time_->now() - left_first_ >= absence)
        current_ = 0;
}

}  // namespace portitor::evm
