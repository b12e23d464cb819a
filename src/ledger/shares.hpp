#pragma once

#include <portitor/ledger/limits.hpp>
#include <portitor/x402/payment_store.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace portitor::ledger {

/// Counts the places that each payer, offer and namespace takes. Each may have a part of what the others
/// leave, so that however many fill theirs, something is left for the next. One strand.
class shares
{
public:
    explicit shares(const limits& bounds);

    /// Why this payment has no place; empty where it has one.
    std::optional<x402::record_refusal>
    refuse(const x402::payment_key& key, const x402::payment_terms* terms) const;

    void add(const x402::payment_record& record) { count(record, 1); }
    void remove(const x402::payment_record& record) { count(record, -1); }
    std::size_t taken() const noexcept { return taken_; }
    std::size_t bytes() const noexcept;

private:
    struct name_hash
    {
        using is_transparent = void;
        std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
    };

    class tally
    {
    public:
        tally(std::size_t part, std::size_t least) : part_(std::max<std::size_t>(part, 1)), least_(least) {}
        bool full(std::string_view name, std::size_t all, std::size_t taken) const;
        void count(std::string_view name, int change);
        std::size_t size() const noexcept { return of_.size(); }

    private:
        std::size_t part_;
        std::size_t least_;
        std::unordered_map<std::string, std::size_t, name_hash, std::equal_to<>> of_;
    };

    void count(const x402::payment_record& record, int change);

    std::size_t most_;
    std::size_t taken_ = 0;
    tally payers_;
    tally offers_;
    tally tenants_;
};

}  // namespace portitor::ledger
