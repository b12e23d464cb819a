#pragma once

#include <portitor/core/error.hpp>
#include <portitor/core/u256.hpp>
#include <portitor/x402/payment_record.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// The record of payments as a book of sales: read by people and commands.
namespace portitor::ledger {

/// One payment, as the book tells it.
struct sale
{
    std::uint64_t began = 0;       ///< Unix seconds
    std::uint64_t settled_at = 0;  ///< 0: never was
    std::uint64_t ended_at = 0;    ///< when it was delivered, closed or expired; 0: it is open
    std::uint64_t valid_before = 0;
    x402::payment_state state = x402::payment_state::reserved;
    x402::used_cause cause = x402::used_cause::sold;  ///< of closed
    std::string offer;                                ///< "namespace/name"
    std::string offer_uid;
    std::string method;
    std::string uri;
    std::string request_id;
    std::string network;
    std::string asset;
    u256 amount;  ///< atomic units
    std::string payer;
    std::string pay_to;
    std::string nonce;
    std::string facilitator;
    std::string transaction;  ///< empty where nobody told it
    bool proven = true;       ///< facilitator or chain said that it is settled
    bool reorganised = false;
    bool interrupted = false;  ///< a verifier died while it wrote the answer, which may have been read

    /// When it was settled, or began where it never was: what books of a day, a month or a year go by.
    std::uint64_t time() const { return settled_at != 0 ? settled_at : began; }
};

/// Which payments are meant. What is empty lets all pass.
struct sale_filter
{
    std::optional<std::uint64_t> since = {};     ///< whose time() is then or later, Unix seconds
    std::optional<std::uint64_t> until = {};     ///< whose time() is before
    std::string offer = {};                      ///< "namespace/name", or "namespace/" for all of one
    std::string payer = {};                      ///< in any case
    std::string transaction = {};                ///< in any case
    std::function<bool(const sale&)> also = {};  ///< and for which this is true
};

/// By what sums are made, besides network and asset; any together.
struct sale_grouping
{
    bool offer = false;
    bool day = false;  ///< UTC, of the settlement
    bool payer = false;
};

/// What one group earned.
struct sale_sum
{
    std::string offer;  ///< empty where it is not grouped by
    std::string day;    ///< "2026-11-28"
    std::string payer;
    std::string network;
    std::string asset;
    std::size_t settled = 0;      ///< payments that were settled and not taken back
    std::size_t delivered = 0;    ///< of these, whose answer was delivered
    std::size_t interrupted = 0;  ///< of these, where a verifier died while it wrote the answer
    std::size_t unproven = 0;     ///< of these, that nobody has proved
    std::size_t reorganised = 0;  ///< not in `settled` nor `amount`: taken back by a reorganisation
    u256 amount;                  ///< atomic units
};

/// Reads the book of a file that a verifier may be writing, which is not disturbed. Blocks. One thread.
class book
{
public:
    /// Also from a folder that cannot be written, if no verifier has the file open there. errc::not_found
    /// where there is no file.
    static result<book> open(const std::string& file);

    ~book();
    book(book&&) noexcept;
    book& operator=(book&&) noexcept;

    /// Tells the payments one by one, the last one that began first, for as long as `tell` returns true. They
    /// are read some hundreds at a time, and none while `tell` runs: however long that takes, the file's log
    /// does not grow by it.
    result<void> list(const sale_filter& which, const std::function<bool(const sale&)>& tell);

    /// Sums of the settled ones among them, exact, in the order of the groups' names. errc::refused where
    /// there are more groups than `most`.
    result<std::vector<sale_sum>>
    sum(const sale_filter& which, const sale_grouping& by, std::size_t most = 100'000);

private:
    struct reader;
    explicit book(std::unique_ptr<reader> from);

    std::unique_ptr<reader> reader_;
};

}  // namespace portitor::ledger
