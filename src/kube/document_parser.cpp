#include "kube/document_parser.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value_stack.hpp>

#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace portitor::kube {

namespace json = boost::json;

namespace {

using boost::system::error_code;

constexpr std::size_t largest_object = 8 * 1024 * 1024;
constexpr std::size_t most_levels = 128;
// Ordinary objects need no more, and so no allocation.
constexpr std::size_t scratch_size = 32 * 1024;

/// The parser's events, made into objects at the document's second level (or third, inside an array).
class object_builder
{
public:
    static constexpr std::size_t max_object_size = std::numeric_limits<std::uint32_t>::max() / 2;
    static constexpr std::size_t max_array_size = max_object_size;
    static constexpr std::size_t max_key_size = largest_object;
    static constexpr std::size_t max_string_size = largest_object;

    explicit object_builder(document_handler& into)
        : into_(into), scratch_(scratch_size), memory_(scratch_.data(), scratch_.size())
    {}

    /// Why the parser was stopped, where that is not the text's syntax.
    const std::optional<error>& failure() const { return failure_; }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code& ec) { return check(into_.on_end(), ec); }

    bool on_object_begin(error_code& ec)
    {
        ++depth_;
        if (skipping())
            return true;
        if (!building())
        {
            if (depth_ == 1)
                return true;
            stack_.reset(&memory_);
            root_ = depth_;
            size_ = 0;
        }
        left_out_.push_back(0);
        if (depth_ == root_ + 1 && key_ == "metadata")
            metadata_ = depth_;
        else if (metadata_ != 0 && depth_ == metadata_ + 1 && key_ == "annotations")
            annotations_ = depth_;
        return grow(0, ec);
    }

    bool on_object_end(std::size_t size, error_code& ec)
    {
        const std::size_t depth = depth_--;
        if (skipping())
            return end_skipped(depth);
        if (!building())
            return true;
        stack_.push_object(size - left_out_.back());
        left_out_.pop_back();
        if (depth == annotations_)
            annotations_ = 0;
        if (depth == metadata_)
            metadata_ = 0;
        return depth != root_ || hand_over(ec);
    }

    bool on_array_begin(error_code& ec)
    {
        ++depth_;
        if (skipping())
            return true;
        if (!building() && depth_ != 2)
            return stop(ec, "an array where an object is expected");
        return grow(0, ec);
    }

    bool on_array_end(std::size_t size, error_code&)
    {
        const std::size_t depth = depth_--;
        if (skipping())
            return end_skipped(depth);
        if (building())
            stack_.push_array(size);
        return true;
    }

    bool on_key_part(json::string_view part, std::size_t, error_code& ec)
    {
        if (skipping())
            return true;
        partial_.append(part.data(), part.size());
        return grow_text(part.size(), ec);
    }

    bool on_key(json::string_view rest, std::size_t, error_code& ec)
    {
        if (skipping())
            return true;
        key_.assign(partial_).append(rest.data(), rest.size());
        partial_.clear();
        if (!building())
        {
            member_ = key_;
            return true;
        }
        if (is_left_out())
        {
            ++left_out_.back();
            skip_ = depth_ + 1;
            return true;
        }
        stack_.push_key(key_);
        return grow(key_.size(), ec);
    }

    bool on_string_part(json::string_view part, std::size_t, error_code& ec)
    {
        if (skipping())
            return true;
        if (building())
            stack_.push_chars(part);
        else
            partial_.append(part.data(), part.size());
        return grow_text(part.size(), ec);
    }

    bool on_string(json::string_view rest, std::size_t, error_code& ec)
    {
        if (skipping())
            return end_skipped(depth_ + 1);
        if (building())
        {
            stack_.push_string(rest);
            return grow(rest.size(), ec);
        }
        partial_.append(rest.data(), rest.size());
        if (depth_ == 1)
            into_.on_text(member_, partial_);
        partial_.clear();
        return true;
    }

    bool on_number_part(json::string_view, error_code&) { return true; }
    bool on_int64(std::int64_t value, json::string_view, error_code& ec)
    {
        return on_scalar([&] { stack_.push_int64(value); }, ec);
    }
    bool on_uint64(std::uint64_t value, json::string_view, error_code& ec)
    {
        return on_scalar([&] { stack_.push_uint64(value); }, ec);
    }
    bool on_double(double value, json::string_view, error_code& ec)
    {
        return on_scalar([&] { stack_.push_double(value); }, ec);
    }
    bool on_bool(bool value, error_code& ec)
    {
        return on_scalar([&] { stack_.push_bool(value); }, ec);
    }
    bool on_null(error_code& ec)
    {
        return on_scalar([&] { stack_.push_null(); }, ec);
    }
    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }

private:
    bool building() const { return root_ != 0; }
    bool skipping() const { return skip_ != 0; }

    template <typename Push>
    bool on_scalar(Push push, error_code& ec)
    {
        if (skipping())
            return end_skipped(depth_ + 1);
        if (building())
            push();
        return grow(0, ec);
    }

    bool end_skipped(std::size_t depth)
    {
        if (depth == skip_)
            skip_ = 0;
        return true;
    }

    bool is_left_out() const
    {
        if (depth_ == metadata_)
            return key_ == "managedFields";
        return depth_ == annotations_ && key_ == "kubectl.kubernetes.io/last-applied-configuration";
    }

    bool hand_over(error_code& ec)
    {
        root_ = 0;
        result<void> taken;
        {
            json::value value = stack_.release();
            taken = into_.on_object(member_, std::move(value.get_object()));
        }
        memory_.release();
        return check(taken, ec);
    }

    /// Counts what is held, roughly: a value or key with what is left of its text.
    bool grow(std::size_t text, error_code& ec)
    {
        constexpr std::size_t value_size = 16;
        return grow_text(text + value_size, ec);
    }

    /// The same for a part of one, however many there are.
    bool grow_text(std::size_t text, error_code& ec)
    {
        size_ = building() ? size_ + text : partial_.size();
        return size_ <= largest_object ||
               stop(ec, fmt::format("an object of more than {} bytes", largest_object));
    }

    bool stop(error_code& ec, std::string why) { return check(error(errc::protocol, std::move(why)), ec); }

    bool check(const result<void>& outcome, error_code& ec)
    {
        if (outcome)
            return true;
        failure_ = outcome.error();
        ec = make_error_code(boost::system::errc::operation_canceled);
        return false;
    }

    document_handler& into_;
    std::vector<unsigned char> scratch_;
    json::monotonic_resource memory_;
    json::value_stack stack_;
    std::optional<error> failure_;

    // Depths count the objects and arrays that are open; 0 stands for none.
    std::size_t depth_ = 0;
    std::size_t root_ = 0;         ///< of the object that is being built
    std::size_t metadata_ = 0;     ///< of its metadata
    std::size_t annotations_ = 0;  ///< of its metadata.annotations
    std::size_t skip_ = 0;         ///< of the value that is being left out
    std::size_t size_ = 0;
    std::vector<std::size_t> left_out_;  ///< members left out, for each object that is open
    std::string member_;                 ///< the document's member at hand
    std::string key_;                    ///< the last key at any level
    std::string partial_;                ///< a key or a text of the document that is not complete yet
};

json::parse_options parser_options()
{
    json::parse_options options;
    options.max_depth = most_levels;
    return options;
}

}  // namespace

class document_parser::impl
{
public:
    explicit impl(document_handler& into) : parser_(parser_options(), into) {}

    result<void> feed(std::string_view piece)
    {
        while (!piece.empty())
        {
            error_code ec;
            std::size_t used = 0;
            try
            {
                used = parser_.write_some(true, piece.data(), piece.size(), ec);
            }
            catch (const std::exception& thrown)
            {
                return fail(errc::protocol, "JSON that cannot be held: {}", thrown.what());
            }
            if (const auto& failure = parser_.handler().failure())
                return *failure;
            if (ec)
                return fail(errc::protocol, "text that is no JSON: {}", ec.message());
            piece.remove_prefix(used);
            if (parser_.done())
                parser_.reset();
        }
        return {};
    }

private:
    json::basic_parser<object_builder> parser_;
};

document_parser::document_parser(document_handler& into) : impl_(std::make_unique<impl>(into)) {}

document_parser::~document_parser() = default;

result<void> document_parser::feed(std::string_view piece)
{
    return impl_->feed(piece);
}

}  // namespace portitor::kube
