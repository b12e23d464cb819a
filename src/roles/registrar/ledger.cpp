#include "roles/registrar/ledger.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

namespace portitor::registrar {

namespace {

constexpr unsigned ether_places = 18;
constexpr std::uint32_t most_transactions = std::numeric_limits<std::uint32_t>::max();

std::int64_t day_of(clock::time_point time)
{
    return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

// More wei than there are: sums of it stay far from an overflow.
u256 bounded(const u256& wei)
{
    static const u256 most = (u256(1) << 128) - 1;
    return std::min(wei, most);
}

}  // namespace

/// How much of a day is for whom.
struct ledger::shares
{
    u256 changes;
    u256 changes_of_one;  ///< of a namespace
    u256 retirements;
    u256 retirements_of_one;
};

/// What counts as used for changes: retirements beyond their own share too.
struct ledger::load
{
    u256 all;
    u256 one;  ///< of a namespace
};

u256 ledger::amount(const used& of, measure what)
{
    return what == measure::wei ? of.wei : u256(of.transactions);
}

ledger::shares ledger::share_out(const spending_limits& limits, measure what)
{
    const u256 whole = what == measure::wei ? bounded(limits.daily_spend) : u256(limits.daily_transactions);
    const u256 least = what == measure::transactions && whole > 0 ? 1 : 0;
    shares out;
    out.retirements = (whole + 9) / 10;
    out.retirements_of_one = std::max<u256>(least, out.retirements / 4);
    out.changes = std::max<u256>(least, whole - out.retirements);
    out.changes_of_one = std::min(out.changes, std::max<u256>(least, whole / 4));
    return out;
}

ledger::load ledger::load_of(const std::string& ns, const shares& allowed, measure what) const
{
    load out;
    u256 retirements;
    for (const auto& [name, each] : retirements_)
    {
        const u256 took = amount(each, what);
        const u256 fitting = std::min(took, allowed.retirements_of_one);
        retirements += fitting;
        out.all += took - fitting;
        if (name == ns)
            out.one += took - fitting;
    }
    if (retirements > allowed.retirements)
        out.all += retirements - allowed.retirements;
    for (const auto& [name, each] : changes_)
    {
        out.all += amount(each, what);
        if (name == ns)
            out.one += amount(each, what);
    }
    return out;
}

result<void> ledger::may_spend(
    const spending_limits& limits, const std::string& ns, purpose why, const u256& most, clock::time_point now
) const
{
    ledger today = *this;
    today.turn_to_day_of(now);
    if (!today.has_room_for(ns))
        return fail(
            errc::refused,
            "{} namespaces have used the account today, and it does not keep account of more; {}",
            most_namespaces,
            today.free_again()
        );
    ledger then = today;
    then.book(ns, why, most, now);
    if (then.spent(now) != today.spent(now) + bounded(most) || most != bounded(most))
        return fail(errc::refused, "this transaction may cost more ether than there is");
    for (const measure each : {measure::transactions, measure::wei})
    {
        if (auto checked = today.check(then, limits, ns, why, each); !checked)
            return checked;
    }
    return {};
}

// Only what grows is compared: a retirement within its own share may go whatever changes have used.
result<void> ledger::check(
    const ledger& then, const spending_limits& limits, const std::string& ns, purpose why, measure what
) const
{
    const shares allowed = share_out(limits, what);
    const load before = load_of(ns, allowed, what);
    const load after = then.load_of(ns, allowed, what);
    const bool too_many_of_one = after.one > before.one && after.one > allowed.changes_of_one;
    const bool too_many = after.all > before.all && after.all > allowed.changes;
    if (!too_many_of_one && !too_many)
        return {};

    const bool is_wei = what == measure::wei;
    const auto shown = [&](const u256& value) {
        return is_wei ? decimal_amount(value, ether_places) : to_string(value);
    };
    const u256& used = too_many_of_one ? before.one : before.all;
    const u256& share = too_many_of_one ? allowed.changes_of_one : allowed.changes;
    const u256 more = (too_many_of_one ? after.one : after.all) - used;
    const std::string who = too_many_of_one ? fmt::format("namespace \"{}\"", ns) : "the account";
    const std::string limit = is_wei ? "dailySpend is " + shown(limits.daily_spend)
                                     : "dailyTransactions is " + shown(limits.daily_transactions);
    const std::string first =
        why == purpose::retirement ? "what is kept for retirements is used up, and " : "";
    if (more > share)
        return fail(
            errc::refused,
            "{}this transaction may take up to {} {}, and {} has never more than {} a day ({}): raise {}",
            first,
            shown(more),
            is_wei ? "ether" : "transactions",
            who,
            shown(share),
            limit,
            is_wei ? "dailySpend of the chain, or lower its maxFeePerGas" : "dailyTransactions of the chain"
        );
    return fail(
        errc::refused,
        "{}{} has used {} of {} {} a day{} ({}); {}",
        first,
        who,
        shown(used),
        shown(share),
        is_wei ? "ether" : "transactions",
        is_wei ? fmt::format(", and this transaction may cost up to {}", shown(more)) : "",
        limit,
        free_again()
    );
}

std::string ledger::free_again() const
{
    const clock::time_point next{std::chrono::days(day_ + 1)};
    return fmt::format("free again at 00:00 UTC, {}", to_rfc3339(next));
}

bool ledger::has_room_for(const std::string& ns) const
{
    if (changes_.contains(ns) || retirements_.contains(ns))
        return true;
    const auto of_both = std::count_if(retirements_.begin(), retirements_.end(), [&](const auto& each) {
        return changes_.contains(each.first);
    });
    return changes_.size() + retirements_.size() - static_cast<std::size_t>(of_both) < most_namespaces;
}

void ledger::book(const std::string& ns, purpose why, const u256& most, clock::time_point now)
{
    book_more(ns, why, most, now);
    used& of = purse_of(why)[ns];
    if (of.transactions < most_transactions)
        ++of.transactions;
}

void ledger::book_more(const std::string& ns, purpose why, const u256& more, clock::time_point now)
{
    turn_to_day_of(now);
    used& of = purse_of(why)[ns];
    of.wei = bounded(of.wei + bounded(more));
}

void ledger::take_back(const std::string& ns, purpose why, const u256& most, clock::time_point booked)
{
    give_back(ns, why, most, booked);
    const auto found = purse_of(why).find(ns);
    if (day_of(booked) == day_ && found != purse_of(why).end() && found->second.transactions > 0)
        --found->second.transactions;
}

void ledger::give_back(const std::string& ns, purpose why, const u256& unspent, clock::time_point booked)
{
    const auto found = purse_of(why).find(ns);
    if (day_of(booked) != day_ || found == purse_of(why).end())
        return;
    found->second.wei -= std::min(unspent, found->second.wei);
}

u256 ledger::spent(clock::time_point now) const
{
    u256 out;
    if (day_of(now) > day_)
        return out;
    for (const purse* each : {&changes_, &retirements_})
    {
        for (const auto& [ns, of] : *each)
            out += of.wei;
    }
    return out;
}

std::uint32_t ledger::transactions(clock::time_point now) const
{
    std::uint64_t out = 0;
    if (day_of(now) > day_)
        return 0;
    for (const purse* each : {&changes_, &retirements_})
    {
        for (const auto& [ns, of] : *each)
            out += of.transactions;
    }
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(out, most_transactions));
}

void ledger::saw_mined(std::uint64_t nonce)
{
    const auto next = nonce == std::numeric_limits<std::uint64_t>::max() ? nonce : nonce + 1;
    mined_nonces_ = std::max(mined_nonces_, next);
}

void ledger::raise_to(const ledger& other)
{
    mined_nonces_ = std::max(mined_nonces_, other.mined_nonces_);
    if (other.day_ < day_)
        return;
    if (other.day_ > day_)
    {
        day_ = other.day_;
        changes_.clear();
        retirements_.clear();
    }
    const auto raise = [](purse& mine, const purse& theirs) {
        for (const auto& [ns, of] : theirs)
        {
            used& here = mine[ns];
            here.transactions = std::max(here.transactions, of.transactions);
            here.wei = std::max(here.wei, of.wei);
        }
    };
    raise(changes_, other.changes_);
    raise(retirements_, other.retirements_);
}

void ledger::turn_to_day_of(clock::time_point now)
{
    const std::int64_t day = day_of(now);
    if (day <= day_)
        return;
    day_ = day;
    changes_.clear();
    retirements_.clear();
}

}  // namespace portitor::registrar
