#pragma once

#include "catch.hpp"
#include "manual_timekeeper.hpp"
#include "model_chain.hpp"
#include "roles/registrar/chain_reader.hpp"
#include "run.hpp"

namespace portitor::test {

/// A reader of the model chain.
struct reader_world
{
    static inline const std::string uid = "/0d2f9a.json";

    boost::asio::io_context context;
    manual_timekeeper time;
    scripted_client client;
    model_chain chain;
    model_chain::view view;
    std::vector<std::string> urls{"https://node.test"};
    evm::node node = evm::node::make(client, time, 8453, urls).value();
    registrar::chain_reader reader{node, chain.registry, std::chrono::seconds(1)};
    const evm::address us = account_of(1);
    const evm::address other = account_of(2);

    reader_world()
    {
        client.script = [this](const scripted_client::seen& asked) { return chain.answer(asked, view); };
    }
    reader_world(const reader_world&) = delete;
    reader_world& operator=(const reader_world&) = delete;

    /// Every question but the one which chain it is gets this answer.
    void always(boost::json::object members)
    {
        client.script = [members](const scripted_client::seen& asked) -> scripted_client::answer {
            const bool is_first = rpc_method(asked) == "eth_chainId";
            return rpc_answer(asked, is_first ? model_chain::result_of("0x2105") : members);
        };
    }

    /// By method.
    void script(std::map<std::string, boost::json::object> answers)
    {
        answers["eth_chainId"] = model_chain::result_of("0x2105");
        client.script = [answers](const scripted_client::seen& asked) -> scripted_client::answer {
            const auto found = answers.find(rpc_method(asked));
            return rpc_answer(
                asked,
                found != answers.end() ? found->second
                                       : model_chain::refusal("the method does not exist", -32601)
            );
        };
    }

    template <typename T>
    evm::rpc_result<T> run(boost::asio::awaitable<evm::rpc_result<T>> work)
    {
        return test::run(context, std::move(work));
    }

    evm::rpc_result<registrar::earlier_mint> find_earlier(std::uint64_t not_before, std::uint64_t head)
    {
        return run(reader.find_earlier(us, uid, not_before, {head, 0, std::nullopt}));
    }

    /// The agents that were minted by `us` for this offer, and are its own as of that block.
    std::set<u256> minted_and_owned(std::uint64_t head) const
    {
        const auto owners = chain.owners(head);
        std::set<u256> out;
        for (const auto& each : chain.transactions)
        {
            const bool is_one = each.what == model_chain::deed::mint && each.from == us &&
                                each.block <= head && each.uri.ends_with(uid) && owners.at(each.agent) == us;
            if (is_one)
                out.insert(each.agent);
        }
        return out;
    }

    /// As after a restart.
    void forget() { reader = registrar::chain_reader(node, chain.registry, std::chrono::seconds(1)); }

    boost::json::value last_params() const
    {
        return boost::json::parse(client.requests.back().message.body()).at("params");
    }
};

}  // namespace portitor::test
