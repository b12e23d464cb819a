#include "kube/document_parser.hpp"

#include <portitor/kube/object_reader.hpp>

namespace portitor::kube {

namespace json = boost::json;

class list_reader::impl final : public document_handler
{
public:
    impl(item_handler each, std::shared_ptr<const object_filter> filter, json::storage_ptr memory)
        : each_(std::move(each)), parser_(*this, std::move(filter), std::move(memory))
    {}

    result<void> feed(std::string_view piece) { return parser_.feed(piece); }

    result<list_page> finish() const
    {
        if (!complete_)
            return fail(errc::protocol, "a list that was cut short");
        if (page_.resource_version.empty())
            return fail(errc::protocol, "a list without metadata.resourceVersion");
        return page_;
    }

    void on_text(std::string_view, std::string_view) override {}

    result<void> on_object(std::string_view member, json::object&& value, std::string_view cut) override
    {
        if (member == "items")
            return each_(std::move(value), cut);
        if (member == "metadata")
        {
            page_.resource_version = string_at(value, "resourceVersion");
            page_.continue_token = string_at(value, "continue");
        }
        return {};
    }

    result<void> on_end() override
    {
        if (std::exchange(complete_, true))
            return fail(errc::protocol, "something after the end of a list");
        return {};
    }

private:
    item_handler each_;
    document_parser parser_;
    list_page page_;
    bool complete_ = false;
};

list_reader::list_reader(
    item_handler each, std::shared_ptr<const object_filter> filter, json::storage_ptr memory
)
    : impl_(std::make_unique<impl>(std::move(each), std::move(filter), std::move(memory)))
{}

list_reader::~list_reader() = default;

result<void> list_reader::feed(std::string_view piece)
{
    return impl_->feed(piece);
}

result<list_page> list_reader::finish()
{
    return impl_->finish();
}

class event_reader::impl final : public document_handler
{
public:
    impl(handler each, std::shared_ptr<const object_filter> filter, json::storage_ptr memory)
        : each_(std::move(each)), parser_(*this, std::move(filter), std::move(memory))
    {}

    result<void> feed(std::string_view piece) { return parser_.feed(piece); }

    void on_text(std::string_view member, std::string_view text) override
    {
        if (member == "type")
            type_ = text;
    }

    result<void> on_object(std::string_view member, json::object&& value, std::string_view cut) override
    {
        if (member != "object")
            return {};
        if (!type_.empty())
        {
            has_object_ = true;
            return each_(type_, std::move(value), cut);
        }
        // The API server writes the type first. Where something else does not, the object has to be kept.
        early_ = json::object(value, json::storage_ptr());
        early_cut_ = cut;
        return {};
    }

    result<void> on_end() override
    {
        result<void> taken;
        if (early_ && !type_.empty())
            taken = each_(type_, std::move(*early_), early_cut_);
        else if (!has_object_)
            taken = fail(errc::protocol, "a watch sent a document that is no event");
        type_.clear();
        early_.reset();
        has_object_ = false;
        return taken;
    }

private:
    handler each_;
    document_parser parser_;
    std::string type_;
    std::optional<json::object> early_;
    std::string early_cut_;
    bool has_object_ = false;
};

event_reader::event_reader(
    handler each, std::shared_ptr<const object_filter> filter, json::storage_ptr memory
)
    : impl_(std::make_unique<impl>(std::move(each), std::move(filter), std::move(memory)))
{}

event_reader::~event_reader() = default;

result<void> event_reader::feed(std::string_view piece)
{
    return impl_->feed(piece);
}

}  // namespace portitor::kube
