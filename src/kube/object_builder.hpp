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
    void cut(std::string_view why);
    bool check(const result<void>& outcome, error_code& ec);

    document_handler& into_;
    const std::shared_ptr<const object_filter> filter_;
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
    std::string second_;           ///< and that one's, where it is an object
    std::string key_;              ///< the last key at any level
    std::string partial_;          ///< a key or a text of the document that is not complete yet
};

}  // namespace portitor::kube
