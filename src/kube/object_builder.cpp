#include "kube/object_builder.hpp"

namespace portitor::kube {

namespace json = boost::json;

namespace {

// Ordinary objects need no more, and so no allocation.
constexpr std::size_t scratch_size = 32 * 1024;
constexpr std::size_t usual_members = 6;

}  // namespace

object_builder::object_builder(
    document_handler& into, std::shared_ptr<const object_filter> filter, json::storage_ptr memory
)
    : into_(into), filter_(std::move(filter)), largest_(filter_ ? filter_->largest : object_filter().largest),
      upstream_(std::move(memory)), scratch_(scratch_size)
{
    stack_.emplace(upstream_);
}

void object_builder::begin_object()
{
    memory_.emplace(scratch_.data(), scratch_.size(), upstream_);
    object_.emplace(usual_members, json::storage_ptr(&*memory_));
    root_ = depth_;
    size_ = 0;
    full_ = false;
    cut_.clear();
    const bool is_one = document_member_ == "items" || document_member_ == "object";
    fields_ = filter_ && is_one ? &filter_->usual : nullptr;
}

void object_builder::begin_member()
{
    member_ = key_;
    second_.clear();
    in_metadata_ = member_ == "metadata";
    value_fields_ = fields_ ? fields_->find(member_) : nullptr;
    // Whatever else there is of an object: which one it is has to be known.
    if (in_metadata_)
    {
        size_before_metadata_ = std::exchange(size_, 0);
        full_ = false;
    }
    if (full_ || (value_fields_ && value_fields_->keeps_nothing()))
    {
        skip_ = depth_ + 1;
        return;
    }
    stack_->reset(&*memory_);
}

void object_builder::take_member()
{
    json::value value = stack_->release();
    if (in_metadata_)
    {
        size_ += size_before_metadata_;
        if (size_ > largest_)
            fill();
        choose_filter(value);
        in_metadata_ = false;
    }
    object_->insert_or_assign(member_, std::move(value));
}

void object_builder::choose_filter(const json::value& metadata)
{
    if (!fields_ || !filter_->choose || !metadata.is_object())
        return;
    if (const field_filter* chosen = filter_->choose(metadata.get_object()))
        fields_ = chosen;
}

bool object_builder::hand_over(error_code& ec)
{
    root_ = 0;
    result<void> taken;
    {
        json::object value = std::move(*object_);
        object_.reset();
        taken = into_.on_object(document_member_, std::move(value), cut_);
    }
    give_back();
    return check(taken, ec);
}

void object_builder::give_back()
{
    memory_.reset();
    if (size_ <= scratch_size)
        return;
    stack_.emplace(upstream_);
    key_ = {};
    partial_ = {};
}

void object_builder::fill()
{
    full_ = true;
    cut(fmt::format("more than {} bytes", largest_));
}

/// The first reason is the one that is told.
void object_builder::cut(std::string_view why)
{
    if (!cut_.empty())
        return;
    const bool at_second = levels_.size() == 1 && !in_array();
    const std::string& second = at_second ? key_ : second_;
    cut_ = levels_.empty() || second.empty() ? fmt::format("{} has {}", member_, why)
                                             : fmt::format("{}.{} has {}", member_, second, why);
}

bool object_builder::check(const result<void>& outcome, error_code& ec)
{
    if (outcome)
        return true;
    failure_ = outcome.error();
    ec = make_error_code(boost::system::errc::operation_canceled);
    return false;
}

}  // namespace portitor::kube
