#include "roles/registrar/executor.hpp"

#include <portitor/api/ownership.hpp>

#include <algorithm>

namespace portitor::registrar {

namespace asio = boost::asio;

namespace {

constexpr int most_steps = 64;  // of one pass: a request needs a dozen
constexpr std::chrono::seconds turn_comes(30);
constexpr std::chrono::seconds soon(1);
constexpr std::chrono::milliseconds at_once(1);

/// Nothing more will happen to it by itself.
bool is_settled(const request_status& status, const api::registration_request& request)
{
    if (status.under_way || status.observed_generation != request.meta.generation)
        return false;
    return request.state == api::desired_state::retired ? status.phase == api::registration_phase::retired
                                                        : status.phase == api::registration_phase::confirmed;
}

}  // namespace

clock::time_point executor::now() const
{
    return std::chrono::floor<std::chrono::seconds>(around_.wall.now());
}

asio::awaitable<kube::reconcile_result>
executor::attempt(kube::object_key key, kube::object_ptr live, bool follows_only)
{
    left_alone_.erase(key);
    auto started = live ? begin(std::move(live)) : std::nullopt;
    if (!started || (follows_only && !is_waiting(started->status)))
    {
        // It is gone, or nothing can be done for it: others need not wait for it.
        waiting_.erase(key);
        failing_.erase(key);
        leave(key);
        co_return kube::reconcile_result(std::nullopt);
    }
    auto ended = co_await run(&*started);
    end_turn(*started);
    if (!ended)
        co_return ended.error();
    co_return *ended;
}

/// What can be told of a request without asking anybody. Nothing where there is nothing to do for it.
std::optional<executor::pass> executor::begin(kube::object_ptr live)
{
    const kube::object_key key = live->meta.key();
    const auto leave_alone = [&](const std::string& why) {
        left_alone_.insert(key);
        if (!why.empty())
            around_.news.ignored(*live, why);
        return std::nullopt;
    };
    // The watch has told which one cannot be read, and why.
    if (!live->unreadable.empty())
        return leave_alone("");
    auto request = api::parse_registration_request(*live);
    if (!request && !around_.served.request_lacks.empty())
        return leave_alone(fmt::format(
            "ForeignSchema: the API server's RegistrationRequest lacks {}, so that nothing of the request "
            "can be read; apply the CRD of this version",
            around_.served.request_lacks
        ));
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

asio::awaitable<result<executor::pause>> executor::run(pass* of)
{
    // What is under way is followed to its end whatever may be done now: it was allowed when it was signed.
    const auto way = is_waiting(of->status) ? way_of_record(*of->status.under_way) : std::nullopt;
    const auto ruling = rule_on(of->request, of->status);
    const auto* granted = std::get_if<permission>(&ruling);
    if (!granted && !way)
        co_return co_await end_off_chain(of, std::get<off_chain>(ruling));
    of->ends_with_record = way.has_value();
    of->allowed = way ? *way : *granted;
    if (granted)
        of->allowed.key = granted->key;
    if (of->request.state == api::desired_state::retired && !has_touched_chain(of->status))
        co_return co_await end_off_chain(of, {"Retired", "", true});
    auto waits = co_await find_signer(of);
    if (!waits)
        co_return waits.error();
    if (*waits)
        co_return **waits;
    const account::identity who{of->allowed.chain_id, of->address};
    of->account = around_.accounts.of(who);
    if (!of->account)
        co_return fail(errc::unavailable, "this process sends for too many accounts already");
    if (!of->account->leads())
    {
        waiting_[of->request.meta.key()] = who;
        co_return pause();
    }
    auto link = around_.chains.of(*of->allowed.chain, of->allowed.chain_id, of->allowed.registry);
    if (!link)
        co_return link.error();
    of->link = *link;
    const reception* known = reception_of(of->status);
    if (holds_nonce(of->status) && !(known && known->nonce_gone))
    {
        enter(of->request.meta.key(), of->account);
        of->account->turns().hold(of->request.meta.key());
        of->has_turn = true;
    }
    co_return co_await step_by_step(of);
}

asio::awaitable<result<executor::pause>> executor::step_by_step(pass* of)
{
    for (int i = 0; i < most_steps; ++i)
    {
        // What comes after it is judged anew.
        if (of->ends_with_record && !is_waiting(of->status))
            co_return pause(at_once);
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
        enter(key, of->account);
        of->has_turn = of->account->turns().take(key);
        if (of->has_turn)
            co_return outcome{true};
        of->waits_for_turn = true;
        co_return co_await say(
            of,
            "WaitingForTurn",
            "it waits for its turn: an account sends one transaction at a time",
            turn_comes
        );
    }
    // The words may be of an older spec than the one that they hold for as well.
    if (auto written = co_await write_status(of, of->status); !written)
        co_return written.error();
    co_return outcome{false, std::get<rest>(step).for_time};
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
    const spending_limits limits{of.allowed.chain->daily_transactions, of.allowed.chain->daily_spend};
    const auto limit_of = [&](purpose why) {
        const auto may =
            of.account->spent().may_spend(limits, of.request.meta.ns, why, 0, around_.wall.now());
        return may ? std::nullopt : std::optional(may.error().message());
    };
    out.limit_of_changes = limit_of(purpose::change);
    out.limit_of_retirements = limit_of(purpose::retirement);
    out.has_turn = of.has_turn;
    out.now = now();
    out.facts = of.facts;
    if (const reception* known = reception_of(of.status))
    {
        out.must_bump = known->too_cheap;
        out.sent_last = known->sent;
        out.refused_since = known->refused_since;
    }
    return out;
}

const executor::reception* executor::reception_of(const request_status& status) const
{
    if (!status.under_way)
        return nullptr;
    const auto at = receptions_.find(status.under_way->hashes.back());
    return at == receptions_.end() ? nullptr : &at->second;
}

/// A request stands in the turns of one account at most.
void executor::enter(const kube::object_key& key, registrar::account* account)
{
    const auto at = in_turns_.find(key);
    if (at != in_turns_.end() && at->second != account)
        leave(key);
    in_turns_[key] = account;
}

void executor::leave(const kube::object_key& key)
{
    const auto at = in_turns_.find(key);
    if (at == in_turns_.end())
        return;
    registrar::account* account = at->second;
    in_turns_.erase(at);
    if (const auto next = account->turns().leave(key))
        around_.look_at(*next);
}

void executor::end_turn(const pass& of)
{
    const reception* known = reception_of(of.status);
    const bool holds = of.link && holds_nonce(of.status) && !(known && known->nonce_gone);
    if (!holds && !of.waits_for_turn)
        leave(of.request.meta.key());
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
        const auto sent = evm::read_signed(status->under_way->raw);
        if (!sent || sent->chain_id != of.who().chain_id)
            continue;
        enter(each->meta.key(), &of);
        of.turns().hold(each->meta.key());
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
