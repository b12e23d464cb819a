#include "roles/registrar/executor.hpp"

#include <portitor/api/ownership.hpp>
#include <portitor/api/resources.hpp>
#include <portitor/evm/hex.hpp>

#include <algorithm>

namespace portitor::registrar {

namespace asio = boost::asio;
namespace json = boost::json;
using api::registration_phase;

namespace {

constexpr int most_steps = 64;  // of one pass: a request needs a dozen
constexpr std::chrono::seconds key_comes(30);
constexpr std::chrono::seconds soon(1);

/// Nothing more will happen to it by itself.
bool is_settled(const request_status& status, const api::registration_request& request)
{
    if (status.under_way || status.observed_generation != request.meta.generation)
        return false;
    return request.state == api::desired_state::retired ? status.phase == registration_phase::retired
                                                        : status.phase == registration_phase::confirmed;
}

/// Whether the chain has all that the spec wants.
bool is_brought_to_end(const request_status& status, const api::registration_request& request)
{
    return status.phase == registration_phase::confirmed &&
           status.observed_generation == request.meta.generation;
}

std::int64_t told_generation(const kube::object& live)
{
    const auto conditions = kube::parse_conditions(live.status());
    const auto* told = kube::find_condition(conditions, "Registered");
    return told ? told->observed_generation : 0;
}

/// "<offer-uid>.json", as the controller makes it.
std::string uri_end_of(const api::registration_request& request)
{
    return request.agent_uri.substr(request.agent_uri.rfind('/') + 1);
}

/// A transaction is not final yet.
bool is_waiting(const request_status& status)
{
    return status.under_way && !status.under_way->confirmed;
}

bool has_touched_chain(const request_status& status)
{
    return status.under_way || status.agent_id || status.transaction;
}

}  // namespace

clock::time_point executor::now() const
{
    return std::chrono::floor<std::chrono::seconds>(around_.wall.now());
}

asio::awaitable<kube::reconcile_result> executor::attempt(kube::object_key key, kube::object_ptr live)
{
    left_alone_.erase(key);
    auto started = live ? begin(std::move(live)) : std::nullopt;
    if (!started)
    {
        forget(key);
        co_return kube::reconcile_result(std::nullopt);
    }
    auto ended = co_await run(&*started);
    end_turn(*started);
    if (!ended)
        co_return ended.error();
    co_return *ended;
}

/// It is gone, or nothing can be done for it: others need not wait for it.
void executor::forget(const kube::object_key& key)
{
    waiting_.erase(key);
    const auto at = in_turns_.find(key);
    if (at == in_turns_.end())
        return;
    registrar::account* account = at->second;
    in_turns_.erase(at);
    if (const auto next = account->turns().leave(key))
        around_.look_at(*next);
}

/// What can be told of a request without asking anybody. Nothing where there is nothing to do for it.
std::optional<executor::pass> executor::begin(kube::object_ptr live)
{
    const kube::object_key key = live->meta.key();
    // The watch has told which one cannot be read, and why.
    if (!live->unreadable.empty())
    {
        left_alone_.insert(key);
        return std::nullopt;
    }
    const auto leave_alone = [&](const std::string& why) {
        left_alone_.insert(key);
        around_.news.ignored(*live, why);
        return std::nullopt;
    };
    auto request = api::parse_registration_request(*live);
    if (!request)
        return leave_alone(request.error().message());
    auto status = read_request_status(*live);
    if (!status)
        return leave_alone(status.error().message());
    // Without its offer it can still be retired.
    const kube::owner_reference* owner = api::owning_offer(live->meta);
    if (!owner && request->state != api::desired_state::retired)
        return leave_alone("no ServiceOffer owns it");
    if (is_settled(*status, *request) && told_generation(*live) == live->meta.generation)
        return std::nullopt;
    pass out{std::move(live), std::move(*request), std::move(*status)};
    out.offer.ns = key.ns;
    if (owner)
    {
        out.offer.name = owner->name;
        out.offer.uid = owner->uid;
    }
    return out;
}

asio::awaitable<result<void>> executor::find_offer(pass* of)
{
    if (of->not_before != 0)
        co_return result<void>();
    auto since = of->request.meta.created;
    if (!of->offer.name.empty())
    {
        auto offer = co_await around_.server.get(api::service_offer_resource, {of->offer.ns, of->offer.name});
        if (!offer && !offer.error().is_not_found())
            co_return offer.error().to_error();
        of->owned = offer && (*offer)->meta.uid == of->offer.uid;
        if (of->owned)
            since = (*offer)->meta.created;
    }
    of->not_before =
        static_cast<std::uint64_t>(std::max<std::int64_t>(clock::time_point::clock::to_time_t(since), 1));
    co_return result<void>();
}

asio::awaitable<result<executor::pause>> executor::run(pass* of)
{
    const auto ruling = judge_permission(
        of->request,
        around_.settings.chains,
        around_.settings.networks.table,
        around_.settings.lists,
        around_.keys.has_operators()
    );
    if (const auto* why = std::get_if<off_chain>(&ruling))
        co_return co_await end_off_chain(of, *why);
    of->allowed = std::get<permission>(ruling);
    if (of->request.state == api::desired_state::retired && !has_touched_chain(of->status))
        co_return co_await end_off_chain(of, {"Retired", "", true});
    auto signer = co_await find_signer(of);
    if (!signer)
        co_return signer.error();
    if (*signer)
        co_return **signer;
    const account::identity who{of->allowed.chain_id, of->address};
    of->account = around_.accounts.of(who);
    if (!of->account)
        co_return fail(errc::unavailable, "this process sends for too many accounts already");
    const auto key = of->request.meta.key();
    if (!of->account->leads())
    {
        waiting_[key] = who;
        co_return pause();
    }
    auto link = around_.chains.of(*of->allowed.chain, of->allowed.chain_id, of->allowed.registry);
    if (!link)
        co_return link.error();
    of->link = *link;
    if (holds_nonce(of->status))
    {
        of->account->turns().hold(key);
        in_turns_[key] = of->account;
        of->has_turn = true;
    }
    for (int i = 0; i < most_steps; ++i)
    {
        if (!holds_nonce(of->status))
        {
            if (auto found = co_await find_offer(of); !found)
                co_return found.error();
        }
        auto taken = co_await take(of, decide(situation_of(*of)));
        if (!taken)
            co_return taken.error();
        if (!taken->goes_on)
            co_return taken->for_time;
    }
    co_return pause(soon);
}

/// Says why nothing is sent. What is on chain already, or on its way there, is not denied.
asio::awaitable<result<executor::pause>> executor::end_off_chain(pass* of, off_chain why)
{
    const bool is_retired = of->request.state == api::desired_state::retired;
    if (auto found = co_await find_offer(of); !found)
        co_return found.error();
    if (!of->owned && !is_retired && !has_touched_chain(of->status))
    {
        left_alone_.insert(of->request.meta.key());
        around_.news.ignored(*of->live, "no ServiceOffer with its owner's UID exists");
        co_return pause();
    }
    request_status status = of->status;
    status.reason = why.reason;
    status.message = why.message;
    if (!has_touched_chain(of->status))
        status.observed_generation = of->request.meta.generation;
    if (!has_touched_chain(of->status))
    {
        status.phase = is_retired   ? registration_phase::retired
                       : why.is_end ? registration_phase::off_chain_only
                                    : registration_phase::failed;
        if (is_retired)
        {
            status.reason = "Retired";
            status.message = "nothing was registered on chain, so there is nothing to take back";
        }
    }
    else if (!is_retired && !is_waiting(of->status) && is_brought_to_end(of->status, of->request))
        co_return pause();
    else if (is_retired && !is_waiting(of->status) && of->status.previous_uri)
    {
        status.phase = registration_phase::retired;
        status.reason = "Retired";
        status.message = "the agent was taken over and keeps its URI";
    }
    else
    {
        status.phase = registration_phase::failed;
        status.message = fmt::format(
            "{} on {}, and {}",
            of->status.agent_id ? fmt::format("agent {} is registered", to_string(*of->status.agent_id))
                                : std::string("a transaction is under way"),
            of->request.chain,
            why.message
        );
    }
    auto written = co_await write_status(of, std::move(status));
    if (!written)
        co_return written.error();
    co_return pause();
}

/// Whose key signs. A pause where that cannot be told just now.
asio::awaitable<result<std::optional<executor::pause>>> executor::find_signer(pass* of)
{
    const result<std::optional<pause>> found(std::nullopt);
    auto signer = of->allowed.key == key_source::own
                      ? co_await around_.keys.of_secret(
                            {of->request.meta.ns, of->request.private_key_secret->name},
                            of->request.private_key_secret->key
                        )
                      : co_await around_.keys.of_operator();
    if (signer)
        of->signer = *signer;
    // What is under way is followed without its key, and by its account even where the key is another one
    // now.
    if (of->status.under_way)
        of->address = of->status.under_way->account;
    else if (signer)
        of->address = (*signer)->account();
    else if (signer.error().code() == errc::conflict)
        co_return std::optional(pause(soon));
    else
    {
        request_status status = of->status;
        status.phase = registration_phase::pending;
        status.reason = "NoKey";
        status.message = signer.error().message();
        if (auto written = co_await write_status(of, std::move(status)); !written)
            co_return written.error();
        co_return std::optional(pause(key_comes));
    }
    co_return found;
}

situation executor::situation_of(const pass& of) const
{
    situation out{
        of.request,
        of.status,
        of.owned,
        uri_end_of(of.request),
        of.not_before,
        of.address,
        false,
        *of.allowed.chain};
    out.can_sign = of.signer && of.signer->account() == of.address;
    out.chain_id = of.allowed.chain_id;
    out.registry = of.allowed.registry;
    out.hand_back = of.allowed.hand_back;
    out.identity_taken = is_identity_taken(of);
    out.min_interval = around_.settings.min_interval;
    out.low_balance = around_.settings.low_balance;
    out.least_nonce = of.account->spent().mined_nonces();
    out.has_turn = of.has_turn;
    out.now = now();
    out.facts = of.facts;
    if (of.status.under_way)
    {
        const evm::word& hash = of.status.under_way->hashes.back();
        out.must_bump = too_cheap_.contains(hash);
        if (const auto at = sent_.find(hash); at != sent_.end())
            out.sent_last = at->second;
    }
    return out;
}

bool executor::is_identity_taken(const pass& of) const
{
    if (of.request.agent_id.empty() || of.status.agent_id)
        return false;
    const auto id = parse_u256(of.request.agent_id);
    const auto has_it = [&](const kube::object_ptr& each) {
        if (!each || !each->unreadable.empty() || each->meta.uid == of.request.meta.uid || !id)
            return false;
        const auto other = api::parse_registration_request(*each);
        const auto status = read_request_status(*each);
        if (!other || !status || other->chain != of.request.chain ||
            status->phase == registration_phase::retired)
            return false;
        const auto asked = parse_u256(other->agent_id);
        const bool has = status->agent_id == *id;
        const bool asks_first = asked && *asked == *id &&
                                std::tie(each->meta.created, each->meta.uid) <
                                    std::tie(of.request.meta.created, of.request.meta.uid);
        return has || asks_first;
    };
    return std::ranges::any_of(around_.all_requests(), has_it);
}

asio::awaitable<result<executor::outcome>> executor::take(pass* of, next_step step)
{
    if (auto* what = std::get_if<ask>(&step))
        co_return co_await answer(of, std::move(*what));
    if (auto* what = std::get_if<prepare>(&step))
        co_return co_await sign_and_send(of, std::move(*what));
    if (std::holds_alternative<broadcast>(step))
        co_return co_await send(of);
    if (auto* what = std::get_if<tell>(&step))
    {
        const auto then = what->then;
        if (auto written = co_await write_status(of, std::move(what->status)); !written)
            co_return written.error();
        of->facts = {};
        co_return outcome{!then, then};
    }
    if (std::holds_alternative<take_turn>(step))
    {
        const auto key = of->request.meta.key();
        in_turns_[key] = of->account;
        of->has_turn = of->account->turns().take(key);
        if (of->has_turn)
            co_return outcome{true};
        of->waits_for_turn = true;
        co_return co_await say(
            of,
            "WaitingForTurn",
            "it waits for its turn: an account sends one transaction at a time",
            key_comes
        );
    }
    // The words may be of an older spec than the one that they hold for as well.
    if (told_generation(*of->live) != of->live->meta.generation)
    {
        if (auto written = co_await write_status(of, of->status); !written)
            co_return written.error();
    }
    co_return outcome{false, std::get<rest>(step).for_time};
}

asio::awaitable<result<executor::outcome>>
executor::say(pass* of, std::string reason, std::string message, std::chrono::milliseconds then)
{
    request_status status = of->status;
    status.phase = holds_nonce(status) ? registration_phase::submitted : registration_phase::pending;
    status.reason = std::move(reason);
    status.message = std::move(message);
    if (auto written = co_await write_status(of, std::move(status)); !written)
        co_return written.error();
    co_return outcome{false, then};
}

asio::awaitable<result<executor::outcome>> executor::answer(pass* of, ask what)
{
    if (auto ready = co_await of->link->check(); !ready)
        co_return co_await cannot_ask(of, ready.error());
    auto asked = co_await look_up(of, std::move(what));
    if (!asked)
        co_return co_await cannot_ask(of, asked.error());
    of->link->answered();
    co_return outcome{true};
}

/// A node that is down for a moment is not worth a word.
asio::awaitable<result<executor::outcome>> executor::cannot_ask(pass* of, evm::rpc_error failure)
{
    of->link->failed();
    const auto pause = of->link->pause();
    const std::string& chain = of->allowed.chain->name;
    if (failure.code() == errc::invalid)
        co_return co_await say(of, "NoRegistry", fmt::format("{}: {}", chain, failure.message()), pause);
    if (!of->link->is_down())
        co_return outcome{false, pause};
    co_return co_await say(
        of,
        "NodeUnreachable",
        fmt::format(
            "no node of {} answers as it should ({}); it is asked again", chain, to_string(failure.code())
        ),
        pause
    );
}

asio::awaitable<result<void>> executor::write_status(pass* of, request_status status)
{
    if (status == of->status && told_generation(*of->live) == of->live->meta.generation)
        co_return result<void>();
    json::object wanted = kube::make_status(
        api::registration_request_resource, of->live->meta, to_json(status, *of->live, around_.wall.now())
    );
    // Whoever else wrote meanwhile knows more than this pass.
    wanted["metadata"].as_object()["resourceVersion"] = of->live->meta.resource_version;
    kube::apply_options how;
    how.field_manager = api::registrar_field_manager;
    how.subresource = "status";
    auto written =
        co_await around_.server.apply(api::registration_request_resource, std::move(wanted), std::move(how));
    if (!written)
        co_return written.error().is_conflict() || written.error().is_not_found()
            ? fail(errc::conflict, "somebody else changed the request")
            : written.error().to_error();
    const auto kept = read_request_status(**written);
    // Nothing is sent of which the next process would not know.
    if (!kept || kept->under_way != status.under_way)
        co_return fail(
            errc::protocol,
            "the API server does not keep status.writeAhead as it was written; apply the CRD of this version"
        );
    count_mined(*of, status);
    around_.news.told(**written, of->offer, of->status, status);
    of->live = std::move(*written);
    of->status = std::move(status);
    co_return result<void>();
}

void executor::end_turn(pass& of)
{
    const auto key = of.request.meta.key();
    const auto at = in_turns_.find(key);
    if (at == in_turns_.end() || of.waits_for_turn || holds_nonce(of.status))
        return;
    registrar::account* account = at->second;
    in_turns_.erase(at);
    if (const auto next = account->turns().leave(key))
        around_.look_at(*next);
}

void executor::on_lead(account& of)
{
    for (const kube::object_ptr& each : around_.all_requests())
    {
        if (!each || !each->unreadable.empty())
            continue;
        const auto status = read_request_status(*each);
        if (!status || !holds_nonce(*status) || status->under_way->account != of.who().address)
            continue;
        of.turns().hold(each->meta.key());
        in_turns_[each->meta.key()] = &of;
        around_.look_at(each->meta.key());
    }
    for (auto at = waiting_.begin(); at != waiting_.end();)
    {
        const bool is_of_account = at->second == of.who();
        if (is_of_account)
            around_.look_at(at->first);
        at = is_of_account ? waiting_.erase(at) : std::next(at);
    }
}

}  // namespace portitor::registrar
