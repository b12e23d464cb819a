#pragma once

#include "roles/registrar/account.hpp"
#include "roles/registrar/chain_links.hpp"
#include "roles/registrar/news.hpp"
#include "roles/registrar/next_step.hpp"
#include "roles/registrar/options.hpp"
#include "roles/registrar/permission.hpp"
#include "roles/registrar/signers.hpp"

#include <portitor/api/served_schema.hpp>
#include <portitor/kube/api.hpp>
#include <portitor/kube/controller.hpp>

#include <functional>
#include <map>
#include <set>
#include <string>

namespace portitor::registrar {

/// What the executor works with; all of it outlives it.
struct surroundings
{
    kube::api& server;
    const clock& wall;
    const options& settings;
    registrar::signers& keys;
    registrar::chain_links& chains;
    registrar::accounts& accounts;
    registrar::news& news;
    const api::served_schema& served;  ///< as it is now
    /// All requests that there are, for who has an identity first and what is under way.
    std::function<std::vector<kube::object_ptr>()> all_requests;
    /// Has a request looked at soon.
    std::function<void(const kube::object_key&)> look_at;
};

/// Executes RegistrationRequests: finds out who signs where, and takes one step after the other until
/// the request has to wait for something. Each pass may be cut off anywhere and begun again. One strand.
class executor
{
public:
    explicit executor(surroundings around) : around_(std::move(around)) {}

    /// One pass over a request, nullptr where it is gone. `follows_only`: nothing new is begun for it.
    boost::asio::awaitable<kube::reconcile_result>
    attempt(kube::object_key key, kube::object_ptr live, bool follows_only = false);

    /// Whether the last pass found that there is nothing to do for it, and that nothing will be told either.
    bool left_alone(const kube::object_key& key) const { return left_alone_.contains(key); }

    /// This process sends for the account from now on: what is under way there goes first.
    void on_lead(account& of);

private:
    /// What one pass knows, beside what the chain says.
    struct pass
    {
        kube::object_ptr live;
        api::registration_request request;
        request_status status;
        kube::object_identity offer{};
        permission allowed{};
        bool ends_with_record = false;  ///< it is about what is under way alone
        signers::signer_ptr signer{};   ///< null where there is none just now
        evm::address address{};         ///< that signs
        registrar::account* account = nullptr;
        chain_link* link = nullptr;
        bool owned = false;
        std::uint64_t not_before = 0;
        bool has_turn = false;
        bool waits_for_turn = false;
        chain_facts facts{};
    };
    using pause = std::optional<std::chrono::milliseconds>;
    /// Another step at once, or the end of the pass.
    struct outcome
    {
        bool goes_on = false;
        pause for_time{};
    };
    /// What nodes have said of one signed transaction. Lost with the process: then it is simply sent again.
    struct reception
    {
        std::optional<clock::time_point> sent{};           ///< last
        std::optional<clock::time_point> refused_since{};  ///< for good
        bool accepted = false;                             ///< by some node, once
        bool too_cheap = false;
        bool nonce_gone = false;  ///< it is taken, by whichever transaction
    };
    struct failing
    {
        ask::about question{};
        unsigned count = 0;
        clock::time_point since;
    };
    template <typename T>
    using task = boost::asio::awaitable<T>;

    std::optional<pass> begin(kube::object_ptr live);
    task<result<pause>> run(pass* of);
    task<result<pause>> step_by_step(pass* of);
    task<result<outcome>> take(pass* of, next_step step);
    situation situation_of(const pass& of) const;

    // Who signs, and whether he may.
    std::optional<permission> way_of_record(const write_ahead& record) const;
    task<result<std::optional<pause>>> find_signer(pass* of);
    task<result<void>> find_offer(pass* of);
    bool is_identity_taken(const pass& of) const;
    std::variant<permission, off_chain>
    rule_on(api::registration_request request, const request_status& status) const;

    // Turns of accounts.
    void enter(const kube::object_key& key, registrar::account* account);
    void leave(const kube::object_key& key);
    void end_turn(const pass& of);

    // The status.
    task<result<pause>> end_off_chain(pass* of, off_chain why);
    task<result<void>> write_status(pass* of, request_status status);
    task<result<outcome>>
    say(pass* of, std::string reason, std::string message, std::chrono::milliseconds then);

    // The chain.
    task<result<outcome>> answer(pass* of, ask what);
    task<evm::rpc_result<void>> look_up(pass* of, ask what);
    task<result<outcome>> cannot_ask(pass* of, evm::rpc_error failure);
    task<result<outcome>> sign_and_send(pass* of, prepare what);
    task<result<outcome>> send(pass* of);
    task<result<outcome>> tell_refusal(pass* of, evm::rpc_refusal why);
    void count_mined(const pass& of, const request_status& now);
    const reception* reception_of(const request_status& status) const;

    clock::time_point now() const;

    surroundings around_;
    std::map<evm::word, reception> receptions_;
    std::map<kube::object_key, failing> failing_;  ///< whose questions get no answer
    std::set<kube::object_key> left_alone_;
    std::map<kube::object_key, account::identity> waiting_;     ///< whose account this process does not lead
    std::map<kube::object_key, registrar::account*> in_turns_;  ///< in whose turns a request is
};

}  // namespace portitor::registrar
