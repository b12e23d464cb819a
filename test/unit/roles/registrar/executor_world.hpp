#pragma once

#include "../../cli/forwarding_api.hpp"
#include "../../evm/scripted_client.hpp"
#include "../role_world.hpp"
#include "evm_vectors.hpp"
#include "given_options.hpp"
#include "roles/registrar/executor.hpp"
#include "run.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/erc8004/identity_registry.hpp>
#include <portitor/evm/abi.hpp>
#include <portitor/evm/eip712.hpp>
#include <portitor/evm/hex.hpp>
#include <portitor/evm/json_rpc.hpp>

#include <boost/json/value_from.hpp>

using namespace portitor;
using namespace portitor::registrar;
using namespace portitor::roles::samples;
using api::registration_request_resource;
using api::service_offer_resource;
using portitor::test::run;

/// An executor with its accounts and turns, on an API server in memory and two chains that each test plays.
namespace executor_samples {

inline const evm::address account_address =
    evm::address::parse("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC").value();

inline std::string keystore_text()
{
    for (const auto& each : vectors().at("keystores").as_array())
        if (text_of(each.at("name")) == "cast-scrypt")
            return json::serialize(each.at("json"));
    throw std::runtime_error("none");
}

/// One chain by its host.
struct fake_chain
{
    std::uint64_t id = 0;
    std::string registry;
    std::uint64_t head = 1000;
    std::uint64_t mined = 0;    ///< count
    std::uint64_t pending = 0;  ///< beside
    bool mines = true;
    std::string gas_refusal{};
    std::string send_refusal{};
    std::uint64_t most_gas = 30'000'000;  ///< of one transaction
    std::vector<evm::bytes> pool{};
    std::map<std::string, std::pair<std::uint64_t, evm::transaction>> in_blocks{};
    std::map<std::string, int> asked{};

    std::string hash_of(std::uint64_t n) const { return evm::to_hex(evm::to_word(u256(n))); }

    void step()
    {
        ++head;
        if (!mines)
            return;
        for (const auto& raw : pool)
        {
            const auto sent = evm::read_signed(raw).value();
            if (sent.nonce != mined)
                continue;
            ++mined;
            in_blocks[evm::to_hex(evm::keccak256(raw))] = {head, sent};
        }
        pool.clear();
    }

    json::object answer(const std::string& method, const json::array& params)
    {
        ++asked[method];
        const auto result_of = []<typename T>(T&& v) {
            return json::object{{"result", json::value_from(std::forward<T>(v))}};
        };
        const auto refusal = [](const std::string& words) {
            return json::object{{"error", json::object{{"code", -32000}, {"message", words}}}};
        };
        if (method == "eth_chainId")
            return result_of(evm::to_quantity(id));
        if (method == "eth_getCode")
            return result_of("0x01");
        if (method == "eth_call")
        {
            const auto data = evm::parse_hex(std::string_view(params[0].at("data").as_string())).value();
            const auto is = [&](const evm::bytes& of) {
                return std::equal(of.begin(), of.begin() + 4, data.begin());
            };
            if (is(erc8004::supports_agents_call()))
                return result_of(evm::to_hex(evm::to_word(u256(1))));
            return result_of(evm::to_hex(evm::to_word(u256(0))));
        }
        if (method == "eth_feeHistory")
            return result_of(json::object{
                {"oldestBlock", evm::to_quantity(head)},
                {"baseFeePerGas", json::array{"0x3b9aca00", "0x3b9aca00"}},
                {"gasUsedRatio", json::array{0.5}},
                {"reward", json::array{json::array{"0xf4240"}}}});
        if (method == "eth_getTransactionCount")
            return result_of(evm::to_quantity(mined + (params[1] == "pending" ? pool.size() + pending : 0)));
        if (method == "eth_getBalance")
            return result_of("0xde0b6b3a7640000");
        if (method == "eth_estimateGas")
            return gas_refusal.empty() ? result_of("0x30d40") : refusal(gas_refusal);
        if (method == "eth_maxPriorityFeePerGas")
            return result_of("0xf4240");
        if (method == "eth_sendRawTransaction")
        {
            if (!send_refusal.empty())
                return refusal(send_refusal);
            const auto raw = evm::parse_hex(std::string_view(params[0].as_string())).value();
            if (evm::read_signed(raw).value().gas_limit > most_gas)
                return refusal("transaction gas limit too high (cap: 16777216, tx: 16800000)");
            if (std::find(pool.begin(), pool.end(), raw) == pool.end())
                pool.push_back(raw);
            return result_of(evm::to_hex(evm::keccak256(raw)));
        }
        if (method == "eth_getBlockByNumber")
            return result_of(json::object{
                {"number", params[0]},
                {"timestamp", "0x1"},
                {"hash",
                 hash_of(static_cast<std::uint64_t>(
                     evm::parse_quantity(std::string_view(params[0].as_string())).value()
                 ))},
                {"baseFeePerGas", "0x7"}});
        if (method == "eth_getTransactionByHash")
            return result_of(nullptr);
        if (method == "eth_getTransactionReceipt")
        {
            const auto at = in_blocks.find(std::string(params[0].as_string()));
            if (at == in_blocks.end())
                return result_of(nullptr);
            evm::abi_values text;
            text.add_string("x");
            return result_of(json::object{
                {"transactionHash", params[0]},
                {"status", "0x1"},
                {"blockNumber", evm::to_quantity(at->second.first)},
                {"blockHash", hash_of(at->second.first)},
                {"gasUsed", "0x30d40"},
                {"effectiveGasPrice", "0x3b9aca00"},
                {"logs",
                 json::array{json::object{
                     {"address", registry},
                     {"topics",
                      json::array{
                          evm::to_hex(erc8004::registered_topic()),
                          evm::to_hex(evm::to_word(u256(at->second.second.nonce))),
                          evm::to_hex(evm::to_word(account_address))}},
                     {"data", evm::to_hex(text.encode())}}}}});
        }
        return refusal("no " + method);
    }
};

struct process_of_executor
{
    using all_of_them = std::function<std::vector<kube::object_ptr>()>;

    process_of_executor(
        role_world& world,
        kube::api& server,
        http::client& client,
        const registrar::options& options,
        bool elects,
        all_of_them all
    )
        : around{
              world.context.get_executor(),
              server,
              world.timers(),
              world.wall,
              logger(log_level::error, log_format::text),
              world.numbers,
              world.checks},
          tasks(world.context.get_executor(), around.log),
          events(around, tasks, "x"),
          told(events, around.log, around.metrics),
          keys(client, server, options.key, world.timers()),
          links(client, world.timers(), false),
          all_accounts(
              around,
              [elects](const std::string& name) {
                  kube::lease_settings out;
                  out.lease = {"shop", name};
                  out.holder = "this-one";
                  return elects ? std::optional(out) : std::nullopt;
              },
              world.stop,
              [this](account& of) { work->on_lead(of); }
          )
    {
        const auto look_at = [this](const kube::object_key& key) { todo.insert(key); };
        work.emplace(surroundings{
            server, world.wall, options, keys, links, all_accounts, told, served, std::move(all), look_at});
    }

    kube::environment around;
    task_group tasks;
    kube::event_recorder events;
    registrar::news told;
    api::served_schema served;
    registrar::signers keys;
    registrar::chain_links links;
    registrar::accounts all_accounts;
    std::optional<executor> work;
    std::set<kube::object_key> todo;
};

/// An API server that does not take the next statuses.
class refusing_api final : public cli::samples::forwarding_api
{
public:
    using forwarding_api::forwarding_api;

    std::optional<kube::api_error> refusal;
    bool loses_answer = false;  ///< it takes the next one, and nobody hears of it

    answer<kube::object_ptr> apply(kube::resource kind, json::object wanted, kube::apply_options how) override
    {
        if (refusal)
            co_return *refusal;
        auto done = co_await forwarding_api::apply(kind, std::move(wanted), std::move(how));
        if (std::exchange(loses_answer, false))
            co_return kube::api_error(fail(errc::timed_out, "no answer"));
        co_return done;
    }
};

struct executor_world : role_world
{
    registrar::options options = config::defaults<registrar::options>();
    test::temp_folder folder;
    scripted_client client;
    fake_chain sepolia{84532, "0x8004a818bfb912233c491871b3d84c89a494bd9e"};
    fake_chain base{8453, "0x8004a169fb4a3325136eb29fa0ceb6d2e539a432"};
    refusing_api api{std::make_unique<sandbox::api>(server, numbers)};
    std::optional<process_of_executor> running;
    std::set<std::string> names;
    bool elects = false;  ///< after the next restart()

    executor_world()
    {
        for (auto& each : options.chains.entries)
        {
            each.confirmations = 1;
            each.daily_spend = u256(1) << 100U;
            if (each.name == "base-sepolia")
                each.rpc_urls = {"https://sepolia.test"};
            if (each.name == "base")
                each.rpc_urls = {"https://base.test"};
        }
        options.key.key_file = folder.write("key.json", keystore_text());
        options.key.key_password_file = folder.write("password", "cast password");
        client.script = [this](const scripted_client::seen& asked) -> scripted_client::answer {
            auto& chain = asked.host == "base.test" ? base : sepolia;
            const auto call = json::parse(asked.message.body());
            return rpc_answer(
                asked, chain.answer(std::string(call.at("method").as_string()), call.at("params").as_array())
            );
        };
        restart();
    }
    ~executor_world()
    {
        if (running)
            stop_it();
    }
    void stop_it()
    {
        run(context, [](process_of_executor* of) -> asio::awaitable<void> {
            co_await of->all_accounts.release();
            of->tasks.cancel();
            co_await of->tasks.join();
        }(&*running));
        running.reset();
    }
    void restart()
    {
        if (running)
            stop_it();
        running.emplace(*this, api, client, options, elects, [this] {
            std::vector<kube::object_ptr> out;
            for (const auto& each : names)
                if (auto of = live(registration_request_resource, each))
                    out.push_back(of);
            return out;
        });
    }
    void request(const std::string& name, const std::string& chain, const std::string& more = "")
    {
        const auto offer = create(
            service_offer_resource, R"({"metadata":{"namespace":"shop","name":")" + name + R"("},"spec":{}})"
        );
        const std::string registry = chain == "base" ? base.registry : sepolia.registry;
        create(
            registration_request_resource,
            R"({"metadata":{"namespace":"shop","name":")" + name +
                R"(","ownerReferences":[{"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","name":")" +
                name + R"(","uid":")" + offer->meta.uid +
                R"(","controller":true}]},"spec":{"name":"Hello","chain":")" + chain + R"(","registry":")" +
                registry + R"(","agentURI":"https://api.example.com/)" + offer->meta.uid +
                R"(.json","desiredState":"Active")" + more + "}}"
        );
        names.insert(name);
    }
    /// Whose transactions were counted today, on the first chain.
    std::uint32_t counted()
    {
        const account::identity who{sepolia.id, account_address};
        return running->all_accounts.of(who)->spent().transactions(wall.now());
    }
    /// So many times a block of both chains, and then a pass over each of these.
    void go_on(int times, std::initializer_list<const char*> over, std::chrono::seconds pause = 3s)
    {
        for (int i = 0; i < times; ++i)
        {
            pass(pause);
            sepolia.step();
            base.step();
            for (const char* each : over)
                attempt(each);
        }
    }
    /// One pass; what the queue was told is done too.
    std::string attempt(const std::string& name)
    {
        running->todo.insert(key(name));
        for (int i = 0; i < 20 && !running->todo.empty(); ++i)
        {
            const auto next = *running->todo.begin();
            running->todo.erase(running->todo.begin());
            std::optional<kube::reconcile_result> out;
            asio::co_spawn(
                context,
                running->work->attempt(next, live(registration_request_resource, next.name)),
                [&](std::exception_ptr thrown, kube::reconcile_result got) {
                    if (thrown)
                        std::rethrow_exception(thrown);
                    out.emplace(std::move(got));
                }
            );
            REQUIRE(wait([&] { return out.has_value(); }));
            pass(10ms);
            last = !*out   ? "error " + out->error().message()
                   : **out ? fmt::format("again in {} ms", (**out)->count())
                           : "at rest";
        }
        return said(name);
    }
    std::string said(const std::string& name)
    {
        const auto of = live(registration_request_resource, name);
        return kube::string_at(of->raw, "status.phase") + " " +
               condition(registration_request_resource, name, "Registered");
    }
    std::string last;
};

}  // namespace executor_samples
