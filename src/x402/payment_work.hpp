#pragma once

#include <portitor/x402/payment_engine.hpp>
#include <portitor/x402/payment_fsm.hpp>

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>

namespace portitor::x402 {

class engine_core;

/// The payments that this process works on, each once, whatever the store says: of two requests with one
/// payment, one works and the other follows. One strand.
class work_list
{
public:
    bool contains(const payment_key& key) const { return all_.contains(key.text()); }
    std::size_t size() const noexcept { return all_.size(); }

    /// A place in the list, for as long as it lives.
    class place
    {
    public:
        place(work_list& list, const payment_key& key) : list_(&list), text_(key.text())
        {
            list.all_.emplace(text_, this);
        }
        place(const place&) = delete;
        place& operator=(const place&) = delete;
        ~place()
        {
            const auto at = list_->all_.find(text_);
            if (at != list_->all_.end() && at->second == this)
                list_->all_.erase(at);
        }

    private:
        work_list* list_;
        std::string text_;
    };

private:
    std::unordered_map<std::string_view, const place*> all_;
};

/// A request and, once it has one, the record that it works on. It outlives the request's coroutine.
struct payment_work : std::enable_shared_from_this<payment_work>
{
    payment_work(std::shared_ptr<engine_core> owner, payment_request what)
        : core(std::move(owner)), asked(std::move(what)), deadline(asked.deadline)
    {}

    std::shared_ptr<engine_core> core;
    payment_request asked;
    payment_digest digest{};
    std::shared_ptr<const payment_terms> terms = {};  ///< today's, out of `asked`
    timekeeper::time_point deadline;                  ///< of the buyer
    bool hold = false;                                ///< stop before the settlement: reserve()
    bool held = false;                                ///< stopped there

    payment_record record = {};
    std::optional<work_list::place> place = {};  ///< set: `record` is ours

    bool again = false;  ///< it was settled by an earlier request
    bool alone = false;  ///< its buyer has left, or has been told to come again
    /// What a buyer whose time is over is told.
    unavailable_cause late = unavailable_cause::busy;
    bool done = false;
    std::optional<verdict> made = {};  ///< empty once done: it is reserved
    timer* waiting = nullptr;          ///< of the buyer
};

}  // namespace portitor::x402
