#include "kube/document_parser.hpp"

#include "kube/object_builder.hpp"
#include "kube/shallow_feed.hpp"

#include <boost/json/basic_parser_impl.hpp>

namespace portitor::kube {

namespace json = boost::json;

namespace {

// Levels of a document that Boost.JSON gets to see: it calls itself for each one. The API server takes ten
// times as many.
constexpr std::size_t deepest_parsed = 1000;

json::parse_options parser_options()
{
    json::parse_options options;
    options.max_depth = deepest_parsed + 1;
    return options;
}

}  // namespace

class document_parser::impl
{
public:
    impl(document_handler& into, std::shared_ptr<const object_filter> filter, json::storage_ptr memory)
        : parser_(parser_options(), into, std::move(filter), std::move(memory))
    {}

    result<void> feed(std::string_view text)
    {
        while (!text.empty())
        {
            auto parsed = parse(shallow_.next(text, parser_.handler().depth()));
            if (!parsed)
                return parsed;
        }
        return {};
    }

private:
    result<void> parse(std::string_view piece)
    {
        while (!piece.empty())
        {
            boost::system::error_code ec;
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

    json::basic_parser<object_builder> parser_;
    shallow_feed shallow_{deepest_parsed};
};

document_parser::document_parser(
    document_handler& into, std::shared_ptr<const object_filter> filter, json::storage_ptr memory
)
    : impl_(std::make_unique<impl>(into, std::move(filter), std::move(memory)))
{}

document_parser::~document_parser() = default;

result<void> document_parser::feed(std::string_view piece)
{
    return impl_->feed(piece);
}

namespace {

/// Takes the one object of a document that has no other.
class only_object final : public document_handler
{
public:
    explicit only_object(whole_object& into) : into_(into) {}

    void on_text(std::string_view, std::string_view) override {}
    result<void> on_object(std::string_view member, json::object&& value, std::string_view cut) override
    {
        if (std::exchange(taken_, true) || member != "object")
            return fail(errc::protocol, "more than one object");
        into_.raw = json::object(value, json::storage_ptr());
        into_.cut = cut;
        return {};
    }
    result<void> on_end() override
    {
        complete_ = taken_;
        return {};
    }
    bool complete() const { return complete_; }

private:
    whole_object& into_;
    bool taken_ = false;
    bool complete_ = false;
};

}  // namespace

result<whole_object> parse_whole(std::string_view text)
{
    whole_object out;
    only_object into(out);
    document_parser parser(into);
    // As an event that has nothing else.
    for (const std::string_view each : {std::string_view("{\"object\":"), text, std::string_view("}")})
    {
        auto fed = parser.feed(each);
        if (!fed)
            return fed.error();
    }
    if (!into.complete())
        return fail(errc::protocol, "no object, or one that was cut short");
    return out;
}

}  // namespace portitor::kube
