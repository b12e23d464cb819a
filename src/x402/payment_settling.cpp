#include "x402/engine_core.hpp"

#include <portitor/x402/base64.hpp>
#include <portitor/x402/error_codes.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace portitor::x402 {

namespace asio = boost::asio;

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// How often what was begun elsewhere meanwhile is read and tried again.
constexpr int most_attempts = 4;
// How often a node is asked about a settlement that is not in a block yet, or not deep enough.
constexpr seconds receipt_pause{1};

// It did answer, but nothing that a facilitator may.
bool answer_was_broken(const error& failure)
{
    return failure.code() == errc::protocol || failure.code() == errc::refused;
}

// By whatever, so that it buys nothing any more.
bool nonce_is_used(settlement_state state)
{
    switch (state)
    {
    case settlement_state::settled:
    case settlement_state::canceled:
    case settlement_state::used_otherwise:
    case settlement_state::used_before:
        return true;
    case settlement_state::open:
    case settlement_state::dead:
    case settlement_state::cannot_tell:
        break;
    }
    return false;
}

facilitator_caller caller_of(const payment_work& work)
{
    return {
        std::string(work.record.terms->tenant()),
        work.record.terms->offer,
        work.asked.offered.payer,
        work.asked.proven,
    };
}

// Hexadecimal digits may be of either case.
bool same_hash(std::string_view left, std::string_view right)
{
    return boost::beast::iequals(left, right);
}

bool nothing_sent(payment_state state)
{
    return state == payment_state::reserved || state == payment_state::verified;
}

}  // namespace

std::string_view expired_code(const payment& offered)
{
    return offered.kind == payment_kind::permit2 ? "permit2_deadline_expired"
                                                 : "invalid_exact_evm_payload_authorization_valid_before";
}

std::string
receipt_of(const std::string& transaction, const payment& offered, const payment_requirement& wanted)
{
    boost::json::object out;
    out["success"] = true;
    out["transaction"] = transaction;
    out["network"] = offered.version == 1 && !wanted.v1_network.empty() ? wanted.v1_network : wanted.network;
    out["payer"] = offered.payer.to_string();
    return encode_base64(boost::json::serialize(out));
}

// Empty: begin again, or held where it is to be reserved only.
asio::awaitable<std::optional<verdict>> engine_core::verify(payment_work& work)
{
    work.late = unavailable_cause::facilitator;
    const milliseconds limit = std::min(limits.verify, left(work));
    const verify_outcome verified = co_await on.facilitator.verify(
        work.record.terms->facilitator_url,
        work.asked.offered,
        work.record.terms->wanted,
        caller_of(work),
        limit
    );
    if (const auto* down = std::get_if<verify_unavailable>(&verified))
    {
        co_await give_up(work, payment_event::verify_unavailable);
        co_return verdict_unavailable(
            answer_was_broken(down->failure) ? unavailable_cause::facilitator_broken
                                             : unavailable_cause::facilitator,
            wait_for(down->retry_after),
            down->failure.message()
        );
    }
    if (const auto* invalid = std::get_if<verify_invalid>(&verified))
    {
        bool spent = meaning_after_verify(invalid->reason) == code_meaning::already_used;
        settlement_finding found;
        const bool doubtful = may_hide_used_nonce(invalid->reason) && has_node(work.record.key.network());
        if (doubtful)
        {
            found = co_await ask_chain(work.record);
            spent = nonce_is_used(found.state);
        }
        record_write done =
            co_await give_up(work, spent ? payment_event::verify_used : payment_event::verify_refused);
        // While this one was judged it may have been taken over and paid.
        if (done.came != write_result::done)
            co_return not_written(std::move(done));
        // Somebody else may have settled it: whoever paid must not be asked to pay again.
        if (spent)
            co_return verdict_already_used(std::string(), used_cause::elsewhere);
        if (doubtful && found.state == settlement_state::cannot_tell)
            co_return verdict_unavailable(
                unavailable_cause::facilitator, limits.retry_facilitator, invalid->reason + ": " + found.why
            );
        co_return verdict_payment_required(invalid->reason);
    }
    const payment_step valid = next_step(work.record.state, payment_event::verify_valid);
    if (!work.hold)
    {
        // It goes on at once: the next state that is written is settling.
        work.record.state = *valid.next;
        std::optional<verdict> made = co_await begin_settling(work);
        co_return made;
    }
    payment_change change(*valid.next);
    change.own = true;
    record_write done = co_await write(on.store, work.record, std::move(change));
    if (done.came == write_result::away)
        give_up_later(work.record);
    if (done.came != write_result::done)
        co_return not_written(std::move(done));
    work.record = std::move(done.record);
    work.held = true;
    co_return std::nullopt;
}

asio::awaitable<std::optional<verdict>> engine_core::begin_settling(payment_work& work)
{
    work.hold = false;
    work.held = false;
    if (work.alone || left(work) < limits.settle_least)
    {
        co_await give_up(work, payment_event::unserved);
        co_return verdict_unavailable(
            unavailable_cause::facilitator, limits.retry_facilitator, "no time was left to settle"
        );
    }
    const payment_step send = next_step(work.record.state, payment_event::send);
    work.late = unavailable_cause::store;
    payment_change change(*send.next);
    change.own = true;
    record_write done = co_await write(on.store, work.record, std::move(change));
    if (done.came == write_result::away)
        give_up_later(work.record);
    if (done.came != write_result::done)
        co_return not_written(std::move(done));
    work.record = std::move(done.record);
    std::optional<verdict> made = co_await settle(work, false);
    co_return made;
}

// Settles, and in doubt once more, unless the chain has the last word in between.
asio::awaitable<std::optional<verdict>> engine_core::settle(payment_work& work, bool only_once)
{
    work.late = unavailable_cause::settlement_unknown;
    for (bool last = only_once;; last = true)
    {
        const settle_history before = work.record.history;
        settle_news news;
        news.outcome = co_await on.facilitator.settle(
            work.record.terms->facilitator_url,
            work.asked.offered,
            work.record.terms->wanted,
            caller_of(work),
            limits.settle
        );
        const settle_word said = word_of(news.outcome);
        ruling ruled = ruling::unknown;
        if (said == settle_word::settled && checks_receipts(work.record.key.network()))
        {
            settle_unknown believed(fail(errc::refused, "the chain does not show what the facilitator says"));
            believed.transaction = std::get<settle_settled>(news.outcome).transaction;
            work.record.history.add(believed);
            news.found = co_await ask_for_receipt(work);
            // The transaction that it names is ours, even where an earlier one failed; no other is.
            settle_history told = before;
            told.told.push_back(believed.transaction);
            ruled = rule_of_receipt(word_of(news.found, told, work.record.began, finality::vouched));
            // What the node shows is on record and told, not what was said.
            if (ruled != ruling::grant || !same_hash(news.found.transaction, believed.transaction))
            {
                counters.receipts_refuted += ruled != ruling::unknown;
                news.outcome = std::move(believed);
            }
        }
        else
        {
            const bool doubt = (before.doubt && said != settle_word::settled) || leaves_doubt(said);
            work.record.history.add(news.outcome);
            if (doubt)
                news.found = co_await ask_chain(work.record);
            const chain_word shown = has_node(work.record.key.network())
                                         ? word_of(news.found, work.record.history, work.record.began)
                                         : chain_word::nobody;
            ruled = rule(said, before, shown, validity_is_over(work.record.valid_before, limits.margin));
            // Where the facilitator's word is not taken for a success, neither is it for a used nonce.
            if (ruled == ruling::grant_unproven && checks_receipts(work.record.key.network()))
                ruled = ruling::unknown;
        }
        // Nothing is sent for a buyer who does not wait, nor after a success that was told.
        if (ruled != ruling::unknown || last || work.alone || said == settle_word::settled)
        {
            std::optional<verdict> made = co_await conclude(work, ruled, std::move(news));
            co_return made;
        }
        ++counters.settle_retries;
    }
}

// For one that an earlier request, or a dead owner, left in doubt.
asio::awaitable<std::optional<verdict>> engine_core::resolve(payment_work& work)
{
    ++counters.resolutions;
    settle_news news;
    news.outcome = settle_unknown(fail(errc::timed_out, "an earlier settlement has no known end"));
    news.found = co_await ask_chain(work.record);
    const auto decided = rule_of_chain(word_of(news.found, work.record.history, work.record.began));
    // A copy in v1 can be told to a facilitator only where the terms are told in v1.
    const bool can_settle = work.asked.offered.version != 1 || work.record.terms->wanted.offered_in_v1();
    std::optional<verdict> made;
    if (decided || !can_settle || work.alone || left(work) < limits.settle_least)
        made = co_await conclude(work, decided.value_or(ruling::unknown), std::move(news));
    else
        made = co_await settle(work, true);
    co_return made;
}

asio::awaitable<settlement_finding> engine_core::ask_chain(const payment_record& record)
{
    settlement_finding found;
    if (on.chain == nullptr)
        co_return found;
    ++counters.chain_lookups;
    found = co_await on.chain->find(*record.offered, record.terms->wanted, record.began, limits.chain);
    co_return found;
}

// What was settled just now is not in a block at once, nor has that its confirmations.
asio::awaitable<settlement_finding> engine_core::ask_for_receipt(const payment_work& work)
{
    for (;;)
    {
        settlement_finding found = co_await ask_chain(work.record);
        if (found.state != settlement_state::open || work.alone || left(work) < limits.chain + receipt_pause)
            co_return found;
        co_await on.timers.sleep_for(receipt_pause);
    }
}

asio::awaitable<std::optional<verdict>>
engine_core::conclude(payment_work& work, ruling ruled, settle_news news)
{
    if (ruled == ruling::grant_unproven && !unproven_.take(work.asked.offered.payer, on.time.now()))
    {
        ++counters.unproven_refused;
        ruled = validity_is_over(work.record.valid_before, limits.margin) ? ruling::expired : ruling::unknown;
    }
    payment_step step = next_step(work.record.state, event_of(ruled));
    if (step.action == payment_action::impossible)
    {
        ruled = ruling::unknown;
        step = next_step(work.record.state, event_of(ruled));
    }
    counters.chain_over += ruled == ruling::withdrawn || ruled == ruling::dead;
    payment_change change = change_of(ruled, work.record, news);
    if (step.action == payment_action::grant)
    {
        const bool from_chain = !std::holds_alternative<settle_settled>(news.outcome);
        counters.chain_settled += ruled == ruling::grant && from_chain;
        counters.unproven += ruled == ruling::grant_unproven;
        std::optional<verdict> made = co_await grant(work, std::move(change));
        const bool sure = news.found.state == settlement_state::settled && news.found.confirmed();
        if (!sure && made && std::holds_alternative<verdict_paid>(*made))
            look_later(work.record);
        co_return made;
    }
    record_write done = co_await write(on.store, work.record, std::move(change));
    // Where nobody can tell whether it was ours until then, nobody is asked to pay anew either.
    const bool unsure = ruled == ruling::refuse || ruled == ruling::dead;
    if (done.came == write_result::lost || (done.came == write_result::away && unsure))
        co_return not_written(std::move(done), work.late);
    if (ruled == ruling::expired)
        tell_listener(payment_report::event::expired, work.record);
    co_return verdict_of(ruled, work, news);
}

// What becomes of the record. An outcome is knowledge, whoever works on it by now: it is written in any case.
payment_change
engine_core::change_of(ruling ruled, const payment_record& record, const settle_news& news) const
{
    const payment_step step = next_step(record.state, event_of(ruled));
    payment_change out(step.next.value_or(record.state));
    out.forget = !step.next;
    out.knowledge = ruled != ruling::grant_unproven;
    switch (ruled)
    {
    case ruling::grant:
        if (const auto* told = std::get_if<settle_settled>(&news.outcome))
        {
            out.receipt = encode_base64(boost::json::serialize(told->receipt));
            out.proof = payment_proof{told->transaction, true};
        }
        else
        {
            out.receipt = receipt_of(news.found.transaction, *record.offered, record.terms->wanted);
            out.proof = payment_proof{news.found.transaction, true};
        }
        break;
    case ruling::grant_unproven: {
        const auto& told = record.history.told;
        const std::string transaction = told.empty() ? std::string() : told.back();
        out.receipt = receipt_of(transaction, *record.offered, record.terms->wanted);
        out.proof = payment_proof{transaction, false};
        break;
    }
    case ruling::elsewhere:
        out.cause = used_cause::elsewhere;
        break;
    case ruling::failed:
        out.cause = used_cause::failed;
        break;
    case ruling::withdrawn:
        out.cause = used_cause::withdrawn;
        break;
    case ruling::expired:
    case ruling::unknown:
        out.history = record.history;
        out.history->doubt = true;
        break;
    case ruling::refuse:
    case ruling::not_taken:
    case ruling::dead:
        break;
    }
    return out;
}

verdict engine_core::verdict_of(ruling ruled, const payment_work& work, const settle_news& news) const
{
    switch (ruled)
    {
    case ruling::refuse:
        return verdict_payment_required(std::get<settle_refused>(news.outcome).reason);
    case ruling::not_taken: {
        const auto& unsent = std::get<settle_not_sent>(news.outcome);
        return verdict_unavailable(
            unavailable_cause::facilitator, wait_for(unsent.retry_after), unsent.failure.message()
        );
    }
    case ruling::elsewhere:
        return verdict_already_used(std::string(), used_cause::elsewhere);
    case ruling::failed:
        return verdict_already_used(std::string(), used_cause::failed);
    case ruling::withdrawn:
        return verdict_already_used(std::string(), used_cause::withdrawn);
    case ruling::expired:
        return verdict_already_used(std::string(), used_cause::expired);
    case ruling::dead:
        return verdict_payment_required(std::string(expired_code(work.asked.offered)));
    case ruling::grant:
    case ruling::grant_unproven:
    case ruling::unknown:
        break;
    }
    std::string why;
    seconds pause{0};
    if (const auto* refused = std::get_if<settle_refused>(&news.outcome))
    {
        why = "refused (" + refused->reason + ") after a settlement in doubt";
    }
    else if (const auto* unsent = std::get_if<settle_not_sent>(&news.outcome))
    {
        why = unsent->failure.message();
        pause = unsent->retry_after;
    }
    else if (const auto* unknown = std::get_if<settle_unknown>(&news.outcome))
    {
        why = unknown->failure.message();
        pause = unknown->retry_after;
    }
    if (news.found.state == settlement_state::open)
        why += "; the chain does not show it yet";
    else if (!news.found.why.empty())
        why += "; the chain: " + news.found.why;
    return verdict_unavailable(unavailable_cause::settlement_unknown, wait_for(pause), std::move(why));
}

// `change` makes it settled. Where its buyer waits it is taken for him in the same write.
asio::awaitable<std::optional<verdict>> engine_core::grant(payment_work& work, payment_change change)
{
    if (work.alone)
    {
        ++counters.settled_late;
        // Told also where it cannot be written yet.
        payment_record settled = work.record;
        settled.state = change.next;
        settled.proof = change.proof.value_or(settled.proof);
        tell_listener(payment_report::event::undelivered, settled);
        if (change.knowledge)
            co_await keep_knowledge(work.record, std::move(change));
        else
            co_await write(on.store, work.record, std::move(change));
        co_return verdict_unavailable(work.late, limits.retry_busy, "its buyer left");
    }
    payment_change taken = change;
    taken.next = *next_step(change.next, payment_event::taken).next;
    taken.own = true;
    taken.knowledge = false;
    record_write done = co_await write(on.store, work.record, std::move(taken));
    if (done.came == write_result::done)
    {
        work.record = std::move(done.record);
        co_return paid(work);
    }
    // Whoever it belongs to by now, or once the store is back, it is settled.
    if (change.knowledge)
        co_await keep_knowledge(work.record, std::move(change));
    co_return not_written(std::move(done), work.late);
}

// Writes that it is settled, to whatever is there.
asio::awaitable<bool> engine_core::keep_knowledge(payment_record known, payment_change change)
{
    for (int attempt = 0; attempt < most_attempts; ++attempt)
    {
        record_write done = co_await write(on.store, known, change);
        if (done.came != write_result::lost)
            co_return done.came == write_result::done;
        auto* found = std::get_if<record_found>(&done.now);
        if (std::holds_alternative<std::monostate>(done.now))
        {
            on.log.error(
                "a payment was settled that is not on record any more", {{"nonce", known.key.nonce()}}
            );
            co_return false;
        }
        if (found == nullptr ||
            next_step(found->record.state, payment_event::ruled_grant).action != payment_action::grant)
            co_return true;
        known = std::move(found->record);
    }
    co_return false;
}

verdict_paid engine_core::paid(payment_work& work)
{
    delivery right([held = work.shared_from_this()](bool written) { held->core->tell(held, written); });
    return {work.record.key, work.asked.offered.payer, work.record.receipt, work.again, std::move(right)};
}

// It will not be settled by us, for whatever came in between; what may be settled already is in doubt.
asio::awaitable<record_write> engine_core::give_up(payment_work& work, payment_event why)
{
    record_write out;
    out.came = write_result::done;
    if (!work.place)
        co_return out;
    if (nothing_sent(work.record.state))
    {
        const payment_step step = next_step(work.record.state, why);
        if (step.action != payment_action::impossible)
            out = co_await forget(work.record);
    }
    else if (work.record.state == payment_state::settling || work.record.state == payment_state::unknown)
    {
        // Of the last one no outcome was seen.
        work.record.history.add(settle_unknown());
        out = co_await write(on.store, work.record, change_of(ruling::unknown, work.record, {}));
    }
    work.place.reset();
    co_return out;
}

asio::awaitable<record_write> engine_core::forget(payment_record record)
{
    payment_change change(record.state);
    change.forget = true;
    record_write done = co_await write(on.store, record, std::move(change));
    if (done.came == write_result::away)
        give_up_later(std::move(record));
    co_return done;
}

// Empty: somebody else's change came first, so begin again.
std::optional<verdict> engine_core::not_written(record_write done, unavailable_cause late)
{
    if (done.came == write_result::away)
        return without_store(std::move(done.why), late);
    ++counters.lost_races;
    return std::nullopt;
}

// Where money may have moved already, that is what counts.
verdict engine_core::without_store(std::string why, unavailable_cause late) const
{
    const bool moved = late == unavailable_cause::settlement_unknown;
    return verdict_unavailable(
        moved ? late : unavailable_cause::store, limits.retry_facilitator, std::move(why)
    );
}

// As the facilitator or its guard asks, or else our own.
seconds engine_core::wait_for(seconds asked) const
{
    return asked > seconds(0) ? asked : limits.retry_facilitator;
}

milliseconds engine_core::left(const payment_work& work) const
{
    const auto until = std::chrono::duration_cast<milliseconds>(work.deadline - on.timers.now());
    return std::max(milliseconds(0), until);
}

bool engine_core::validity_is_over(std::uint64_t valid_before, seconds since) const
{
    return valid_before < unix_seconds(on.time.now() - since);
}

bool engine_core::checks_receipts(std::string_view network) const
{
    return on.chain != nullptr && limits.check_receipts && limits.check_receipts(network);
}

std::optional<std::chrono::seconds> engine_core::confirmation_time(std::string_view network) const
{
    return on.chain != nullptr ? on.chain->confirmation_time(network) : std::nullopt;
}

}  // namespace portitor::x402
