#pragma once

#include "ledger/owners.hpp"
#include "ledger/shares.hpp"
#include "ledger/spent_set.hpp"
#include "ledger/wait_queue.hpp"

#include <portitor/core/clock.hpp>
#include <portitor/ledger/limits.hpp>
#include <portitor/x402/payment_store.hpp>

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace portitor::ledger {

/// The payments on record in this process, and the rules of payment_store.hpp: without I/O and without
/// waiting. A change is planned first and applied later, so that whoever keeps a copy elsewhere can write it
/// in between. One strand.
class record_table
{
public:
    using record = x402::payment_record;

    record_table(const clock& time, limits bounds);
    ~record_table();

    owners& all_owners() noexcept { return owners_; }
    const owners& all_owners() const noexcept { return owners_; }
    const limits& bounds() const noexcept { return bounds_; }
    const clock& wall_clock() const noexcept { return clock_; }

    /// As payment_store::begin() and find(), by this owner.
    x402::begin_outcome begin(std::uint64_t owner, x402::new_payment what);
    x402::find_outcome find(std::uint64_t owner, const x402::payment_key& key) const;

    /// What a change makes of a record.
    struct planned
    {
        record after;  ///< of a forgotten one: as it is
        bool forget = false;
        /// The record is over, and only its digest is left: a mark for the book.
        bool of_spent = false;
        std::uint64_t row = 0;           ///< where the book has it, 0: nowhere; who keeps one sets it
        const record* before = nullptr;  ///< null where it is over; until the next call
    };
    using plan_outcome = std::variant<x402::change_lost, planned>;

    /// Compares, and says what would be there. The record stays until apply() or abandon(), for as long as no
    /// other change is planned: one at a time is planned for a record.
    plan_outcome plan(
        std::uint64_t owner,
        const x402::payment_key& key,
        std::uint64_t revision,
        const x402::payment_change& change
    );
    x402::change_made apply(planned change);
    void abandon(const x402::payment_key& key);
    /// What the next change waits for, from set_writing() to apply() or abandon(); null: nothing.
    std::shared_ptr<wait_queue> writing(const x402::payment_key& key) const;
    void set_writing(const x402::payment_key& key, std::shared_ptr<wait_queue> done);
    /// The record as it is; null where it is not open. Until the next call.
    const record* look(const x402::payment_key& key) const;

    /// Where to wait for the record's next revision: null where it is of another already.
    std::shared_ptr<wait_queue> waiting_for(const x402::payment_key& key, std::uint64_t revision);

    std::vector<record> neglected(std::uint64_t owner, std::size_t most);
    std::vector<record> open_records(std::size_t most) const;
    void sweep();

    /// Puts back what was written by a process before this one, in that row. False where there is no place.
    bool restore(record kept, std::uint64_t row);
    void restore_spent(const x402::payment_key& key, std::uint64_t valid_before, spent_fate fate);
    void raise_low_water(std::uint64_t to) noexcept;

    /// Empty where it is not over, or not known.
    std::optional<spent_fate> fate_of(const x402::payment_key& key) const { return spent_.find(key.text()); }
    x402::store_numbers numbers() const;
    /// About what all this takes, in bytes.
    std::size_t bytes() const noexcept;

private:
    struct entry;
    using entry_list = std::list<entry*>;

    std::uint64_t seconds() const;
    bool lives(std::uint64_t asking, std::uint64_t owner) const;
    entry* find_entry(std::string_view key) const;
    entry& insert(record what);
    void index(entry& which);
    void unindex(entry& which);
    void erase(entry& which);
    void make_late(entry& which);
    void trim_late();
    void spend(const x402::payment_key& key, std::uint64_t valid_before, spent_fate fate);
    std::size_t& count_of(x402::payment_state state);
    bool may_change(std::uint64_t owner, const record& now, const x402::payment_change& change) const;

    const clock& clock_;
    limits bounds_;
    owners owners_;
    shares shares_;
    spent_set spent_;
    std::uint64_t low_water_ = 0;
    std::uint64_t last_revision_ = 0;
    std::uint64_t told_ = 0;

    std::unordered_map<std::string_view, std::unique_ptr<entry>> all_;  // keyed by the record's own key
    std::multimap<std::uint64_t, entry*> by_expiry_;                    // but for those that are late
    entry_list late_;
    std::unordered_map<std::uint64_t, entry_list> work_of_;  // by owner; 0: of nobody, unknown or overdue
    std::array<std::size_t, x402::payment_states> in_state_{};
};

}  // namespace portitor::ledger
