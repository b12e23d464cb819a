#include "kube/object_builder.hpp"

namespace portitor::kube {

namespace json = boost::json;

namespace {

constexpr std::size_t largest_object = 8 * 1024 * 1024;
constexpr std::size_t most_levels = 128;
// Ordinary objects need no more, and so no allocation.
constexpr std::size_t scratch_size = 32 * 1024;

}  // namespace

object_builder::object_builder(
    document_handler& into, std::shared_ptr<const object_filter> filter, json::storage_ptr memory
)
    : into_(into), filter_(std::move(filter)), upstream_(std::move(memory)), scratch_(scratch_size)
{
    stack_.emplace(upstream_);
}

bool object_builder::on_object_begin(error_code&)
{
    ++depth_;
    if (skipping())
        return true;
    if (building())
        begin_level(false);
    else if (depth_ > 1)
        begin_object();
    return true;
}

bool object_builder::on_object_end(std::size_t size, error_code& ec)
{
    const std::size_t depth = depth_--;
    if (skipping())
        return end_skipped(depth);
    if (!building())
        return true;
    if (depth == root_)
        return hand_over(ec);
    stack_->push_object(size - levels_.back().left_out);
    levels_.pop_back();
    end_value();
    return true;
}

bool object_builder::on_array_begin(error_code& ec)
{
    ++depth_;
    if (skipping())
        return true;
    if (!building() && depth_ != 2)
        return check(fail(errc::protocol, "an array where an object is expected"), ec);
    if (building())
        begin_level(true);
    return true;
}

bool object_builder::on_array_end(std::size_t size, error_code&)
{
    const std::size_t depth = depth_--;
    if (skipping())
        return end_skipped(depth);
    if (!building())
        return true;
    stack_->push_array(size - levels_.back().left_out);
    levels_.pop_back();
    end_value();
    return true;
}

bool object_builder::on_key_part(json::string_view part, std::size_t, error_code& ec)
{
    return skipping() || keep_partial(part, ec);
}

bool object_builder::on_key(json::string_view rest, std::size_t, error_code& ec)
{
    if (skipping())
        return true;
    if (!keep_partial(rest, ec))
        return false;
    key_.swap(partial_);
    partial_.clear();
    if (!building())
    {
        document_member_ = key_;
        return true;
    }
    if (depth_ == root_)
    {
        begin_member();
        return true;
    }
    if (levels_.size() == 1)
        second_ = key_;
    if (full_ || is_left_out())
    {
        ++levels_.back().left_out;
        skip_ = depth_ + 1;
        return true;
    }
    stack_->push_key(key_);
    grow(key_.size());
    return true;
}

bool object_builder::on_string_part(json::string_view part, std::size_t, error_code& ec)
{
    if (skipping())
        return true;
    if (!building())
        return keep_partial(part, ec);
    if (full_ && (in_text_ || in_array()))
        return true;
    in_text_ = true;
    stack_->push_chars(part);
    size_ += part.size();
    grow(0);
    return true;
}

bool object_builder::on_string(json::string_view rest, std::size_t, error_code& ec)
{
    if (skipping())
        return end_skipped(depth_ + 1);
    if (building())
    {
        const bool has_begun = std::exchange(in_text_, false);
        if (has_begun && full_)
        {
            stack_->push_string("");
            end_value();
            return true;
        }
        size_ += full_ ? 0 : rest.size();
        return on_scalar([&] { stack_->push_string(rest); });
    }
    if (!keep_partial(rest, ec))
        return false;
    if (depth_ == 1)
        into_.on_text(document_member_, partial_);
    partial_.clear();
    return true;
}

bool object_builder::on_int64(std::int64_t value, json::string_view, error_code&)
{
    return on_scalar([&] { stack_->push_int64(value); });
}

bool object_builder::on_uint64(std::uint64_t value, json::string_view, error_code&)
{
    return on_scalar([&] { stack_->push_uint64(value); });
}

bool object_builder::on_double(double value, json::string_view, error_code&)
{
    return on_scalar([&] { stack_->push_double(value); });
}

bool object_builder::on_bool(bool value, error_code&)
{
    return on_scalar([&] { stack_->push_bool(value); });
}

bool object_builder::on_null(error_code&)
{
    return on_scalar([&] { stack_->push_null(); });
}

template <typename Push>
bool object_builder::on_scalar(Push push)
{
    if (skipping())
        return end_skipped(depth_ + 1);
    if (!building())
        return true;
    if (full_ && in_array())
    {
        ++levels_.back().left_out;
        return true;
    }
    push();
    grow(0);
    end_value();
    return true;
}

// What can outweigh all the rest, and nobody needs; and what the filter says.
bool object_builder::is_left_out() const
{
    if (in_metadata_ && levels_.size() == 1 && key_ == "managedFields")
        return true;
    if (in_metadata_ && levels_.size() == 2 && second_ == "annotations" &&
        key_ == "kubectl.kubernetes.io/last-applied-configuration")
        return true;
    const field_filter* own = levels_.back().fields;
    const field_filter* of_value = own ? own->find(key_) : nullptr;
    return of_value && of_value->keeps_nothing();
}

void object_builder::begin_object()
{
    memory_.emplace(scratch_.data(), scratch_.size(), upstream_);
    object_.emplace(json::storage_ptr(&*memory_));
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

void object_builder::begin_level(bool is_array)
{
    if (full_ && in_array())
    {
        ++levels_.back().left_out;
        skip_ = depth_;
        return;
    }
    if (depth_ > most_levels)
    {
        cut(fmt::format("more than {} levels", most_levels));
        stack_->push_null();
        skip_ = depth_;
        return;
    }
    level made;
    made.is_array = is_array;
    if (levels_.empty())
        made.fields = value_fields_;
    else if (const level& above = levels_.back(); above.fields)
        made.fields = above.is_array ? above.fields : above.fields->find(key_);
    levels_.push_back(made);
    grow(0);
}

bool object_builder::end_skipped(std::size_t depth)
{
    if (depth == skip_)
        skip_ = 0;
    return true;
}

void object_builder::end_value()
{
    if (depth_ == root_)
        take_member();
}

void object_builder::take_member()
{
    json::value value = stack_->release();
    if (in_metadata_)
    {
        size_ += size_before_metadata_;
        full_ = size_ > largest_object;
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

/// Counts what is held, roughly: a value or key with what is left of its text.
void object_builder::grow(std::size_t text)
{
    constexpr std::size_t value_size = 16;
    size_ += text + value_size;
    if (size_ > largest_object && !full_)
    {
        cut(fmt::format("more than {} bytes", largest_object));
        full_ = true;
    }
}

/// A key, or a text of the document itself: those that are longer than any object can be are none.
bool object_builder::keep_partial(json::string_view part, error_code& ec)
{
    if (partial_.size() + part.size() > largest_object)
        return check(fail(errc::protocol, "a name of more than {} bytes", largest_object), ec);
    partial_.append(part.data(), part.size());
    return true;
}

/// The first reason is the one that is told.
void object_builder::cut(std::string_view why)
{
    if (cut_.empty())
        cut_ = fmt::format("{}{}{} has {}", member_, second_.empty() ? "" : ".", second_, why);
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
