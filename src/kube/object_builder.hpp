#pragma once

#include "kube/document_parser.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>

#include <limits>
#include <optional>
#include <vector>

namespace portitor::kube {

/// Boost.JSON's parser events, made into objects at the document's second level (or third, inside an array).
/// Each member of an object is built by itself, so that one that is too large or too deep costs no other one.
class object_builder
{
    using error_code = boost::system::error_code;

public:
    static constexpr std::size_t max_object_size = std::numeric_limits<std::uint32_t>::max() / 2;
    static constexpr std::size_t max_array_size = max_object_size;
    static constexpr std::size_t max_key_size = max_object_size;
    static constexpr std::size_t max_string_size = max_object_size;

    object_builder(
        document_handler& into, std::shared_ptr<const object_filter> filter, boost::json::storage_ptr memory
    );

    /// Why the parser was stopped, where that is not the text's syntax.
    const std::optional<error>& failure() const { return failure_; }

    /// How many objects and arrays are open.
    std::size_t depth() const { return depth_; }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code& ec) { return check(into_.on_end(), ec); }
    bool on_object_begin(error_code& ec);
    bool on_object_end(std::size_t size, error_code& ec);
    bool on_array_begin(error_code& ec);
    bool on_array_end(std::size_t size, error_code& ec);
    bool on_key_part(boost::json::string_view part, std::size_t, error_code& ec);
    bool on_key(boost::json::string_view rest, std::size_t, error_code& ec);
    bool on_string_part(boost::json::string_view part, std::size_t, error_code& ec);
    bool on_string(boost::json::string_view rest, std::size_t, error_code& ec);
    bool on_number_part(boost::json::string_view, error_code&) { return true; }
    bool on_int64(std::int64_t value, boost::json::string_view, error_code&);
    bool on_uint64(std::uint64_t value, boost::json::string_view, error_code&);
    bool on_double(double value, boost::json::string_view, error_code&);
    bool on_bool(bool value, error_code&);
    bool on_null(error_code&);
    bool on_comment_part(boost::json::string_view, error_code&) { return true; }
    bool on_comment(boost::json::string_view, error_code&) { return true; }

private:
    static constexpr std::size_t longest_name = 8 * 1024 * 1024;
    static constexpr std::size_t most_levels = 128;

    /// An object or array that is being built, below the first level of its object.
    struct level
    {
        const field_filter* fields = nullptr;  ///< of its members; null: all of them
        std::size_t left_out = 0;              ///< members or elements
        bool is_array = false;
    };

    bool building() const { return root_ != 0; }
    bool skipping() const { return skip_ != 0; }
    bool in_array() const { return !levels_.empty() && levels_.back().is_array; }
    /// Whether what comes next is too much. Which object it is has to be known, whatever else there is of it.
    bool is_too_much() const { return full_ && !(in_metadata_ && levels_.size() == 1); }
    bool is_left_out() const;

    void begin_object();
    void begin_member();
    void begin_level(bool is_array);
    bool end_skipped(std::size_t depth);
    void end_value();
    void take_member();
    void choose_filter(const boost::json::value& metadata);
    bool hand_over(error_code& ec);
    void give_back();
    template <typename Push>
    bool on_scalar(Push push);

    void grow(std::size_t text);
    bool keep_partial(boost::json::string_view part, error_code& ec);
    void fill();
    void cut(std::string_view why);
    bool check(const result<void>& outcome, error_code& ec);

    document_handler& into_;
    const std::shared_ptr<const object_filter> filter_;
    const std::size_t largest_;
    const boost::json::storage_ptr upstream_;
    std::vector<unsigned char> scratch_;
    /// New for each object: Boost.JSON's goes on to double its blocks where the last object ended.
    std::optional<boost::json::monotonic_resource> memory_;
    std::optional<boost::json::object> object_;
    std::optional<boost::json::value_stack> stack_;
    std::optional<error> failure_;

    // Depths count the objects and arrays that are open; 0 stands for none.
    std::size_t depth_ = 0;
    std::size_t root_ = 0;  ///< of the object that is being built
    std::size_t skip_ = 0;  ///< of the value that is being left out
    std::size_t size_ = 0;  ///< of what is held of the object, roughly
    std::size_t size_before_metadata_ = 0;
    bool full_ = false;  ///< no more of it is taken
    bool in_metadata_ = false;
    bool in_text_ = false;                        ///< part of a text has been taken
    const field_filter* fields_ = nullptr;        ///< of the object's own members
    const field_filter* value_fields_ = nullptr;  ///< of the value that comes next
    std::vector<level> levels_;
    std::string cut_;
    std::string document_member_;  ///< the document's member at hand
    std::string member_;           ///< the object's
    std::string second_;           ///< and that one's that is open, where it is an object
    std::string key_;              ///< the last key at any level
    std::string partial_;          ///< a key or a text of the document that is not complete yet
};

// What happens for each value is here, to become a part of the parser.

template <typename Push>
inline bool object_builder::on_scalar(Push push)
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

inline bool object_builder::on_object_begin(error_code&)
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

inline bool object_builder::on_object_end(std::size_t size, error_code& ec)
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

inline bool object_builder::on_array_begin(error_code& ec)
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

inline bool object_builder::on_array_end(std::size_t size, error_code&)
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

inline bool object_builder::on_key_part(boost::json::string_view part, std::size_t, error_code& ec)
{
    return skipping() || keep_partial(part, ec);
}

inline bool object_builder::on_key(boost::json::string_view rest, std::size_t, error_code& ec)
{
    if (skipping())
        return true;
    if (!partial_.empty())
    {
        if (!keep_partial(rest, ec))
            return false;
        key_.swap(partial_);
        partial_.clear();
    }
    else
        key_.assign(rest.data(), rest.size());
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
    if (is_too_much() || is_left_out())
    {
        ++levels_.back().left_out;
        skip_ = depth_ + 1;
        return true;
    }
    stack_->push_key(key_);
    grow(key_.size());
    return true;
}

inline bool object_builder::on_string_part(boost::json::string_view part, std::size_t, error_code& ec)
{
    if (skipping())
        return true;
    if (!building())
        return keep_partial(part, ec);
    if (is_too_much() && (in_text_ || in_array()))
        return true;
    in_text_ = true;
    stack_->push_chars(part);
    size_ += part.size();
    grow(0);
    return true;
}

inline bool object_builder::on_string(boost::json::string_view rest, std::size_t, error_code& ec)
{
    if (skipping())
        return end_skipped(depth_ + 1);
    if (building())
    {
        const bool has_begun = std::exchange(in_text_, false);
        if (has_begun && is_too_much())
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

inline bool object_builder::on_int64(std::int64_t value, boost::json::string_view, error_code&)
{
    return on_scalar([&] { stack_->push_int64(value); });
}

inline bool object_builder::on_uint64(std::uint64_t value, boost::json::string_view, error_code&)
{
    return on_scalar([&] { stack_->push_uint64(value); });
}

inline bool object_builder::on_double(double value, boost::json::string_view, error_code&)
{
    return on_scalar([&] { stack_->push_double(value); });
}

inline bool object_builder::on_bool(bool value, error_code&)
{
    return on_scalar([&] { stack_->push_bool(value); });
}

inline bool object_builder::on_null(error_code&)
{
    return on_scalar([&] { stack_->push_null(); });
}

// What can outweigh all the rest, and nobody needs; and what the filter says.
inline bool object_builder::is_left_out() const
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

inline bool object_builder::end_skipped(std::size_t depth)
{
    if (depth == skip_)
        skip_ = 0;
    return true;
}

inline void object_builder::end_value()
{
    if (depth_ == root_)
        take_member();
}

inline void object_builder::begin_level(bool is_array)
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
    if (levels_.size() == 1 && !in_array())
        second_ = key_;
    level made;
    made.is_array = is_array;
    if (levels_.empty())
        made.fields = value_fields_;
    else if (const level& above = levels_.back(); above.fields)
        made.fields = above.is_array ? above.fields : above.fields->find(key_);
    levels_.push_back(made);
    grow(0);
}

/// Counts what is held, roughly: a value or key with what is left of its text.
inline void object_builder::grow(std::size_t text)
{
    constexpr std::size_t value_size = 16;
    size_ += text + value_size;
    if (size_ > largest_ && !full_)
        fill();
}

/// A key, or a text of the document itself: those that are longer than any object can be are none.
inline bool object_builder::keep_partial(boost::json::string_view part, error_code& ec)
{
    if (partial_.size() + part.size() > longest_name)
        return check(fail(errc::protocol, "a name of more than {} bytes", longest_name), ec);
    partial_.append(part.data(), part.size());
    return true;
}

}  // namespace portitor::kube
