#include "schema/cel/go_time.hpp"
#include "schema/formats.hpp"
#include "schema/shown.hpp"
#include "schema/validator.hpp"

#include <algorithm>
#include <cctype>
#include <map>

namespace portitor::schema {

namespace json = boost::json;

namespace {

constexpr std::size_t most_annotation_bytes = 256 * 1024;

enum class form
{
    text,
    time,
    number,
    texts,    // a list
    map,      // of texts
    objects,  // a list
};

const std::map<std::string_view, form> members{
    {"annotations", form::map},
    {"creationTimestamp", form::time},
    {"deletionGracePeriodSeconds", form::number},
    {"deletionTimestamp", form::time},
    {"finalizers", form::texts},
    {"generateName", form::text},
    {"generation", form::number},
    {"labels", form::map},
    {"managedFields", form::objects},
    {"name", form::text},
    {"namespace", form::text},
    {"ownerReferences", form::objects},
    {"resourceVersion", form::text},
    {"selfLink", form::text},
    {"uid", form::text},
};

const char* words(form wanted)
{
    switch (wanted)
    {
    case form::text:
        return "must be a string";
    case form::time:
        return "must be a time such as 2030-01-01T00:00:00Z";
    case form::number:
        return "must be an integer";
    case form::texts:
        return "must be a list of strings";
    case form::map:
        return "must be an object whose values are strings";
    case form::objects:
        return "must be a list of objects";
    }
    return "";
}

bool is_list_of(const json::value& value, json::kind kind)
{
    const json::array* list = value.if_array();
    return list && std::all_of(list->begin(), list->end(), [kind](const json::value& each) {
               return each.kind() == kind;
           });
}

// Null is as good as nothing everywhere in metadata.
bool has_form(const json::value& value, form wanted)
{
    if (value.is_null())
        return true;
    switch (wanted)
    {
    case form::text:
        return value.is_string();
    case form::time:
        return value.is_string() && cel::parse_moment(std::string_view(value.get_string()));
    case form::number:
        return value.is_int64();
    case form::texts:
        return is_list_of(value, json::kind::string);
    case form::objects:
        return is_list_of(value, json::kind::object);
    case form::map:
        break;
    }
    const json::object* object = value.if_object();
    return object && std::all_of(object->begin(), object->end(), [](const auto& each) {
               return each.value().is_string() || each.value().is_null();
           });
}

class metadata_check
{
public:
    metadata_check(const json::object& metadata, problem_list& into) : metadata_(metadata), into_(into) {}

    void check()
    {
        check_forms();
        check_name();
        if (const std::string name = text_at("namespace"); !name.empty() && !is_label_name(name))
            add("namespace", "must be lower-case letters, digits and dashes, 63 at most", name);
        check_labels();
        check_annotations();
        check_finalizers();
    }

private:
    void add(std::string_view member, std::string message, std::string_view value)
    {
        into_.add(
            fault::invalid, "metadata." + std::string(member), std::move(message), '"' + plain(value) + '"'
        );
    }

    void check_forms()
    {
        for (const auto& each : metadata_)
        {
            const std::string field = "metadata." + plain(each.key());
            const auto known = members.find(each.key());
            if (known == members.end())
                into_.add(fault::unknown_field, field, {});
            else if (!has_form(each.value(), known->second))
                into_.add(fault::wrong_type, field, words(known->second), shown(each.value()));
        }
    }

    std::string text_at(std::string_view member) const
    {
        const json::value* found = metadata_.if_contains(member);
        return found && found->is_string() ? std::string(found->get_string()) : std::string();
    }

    void check_name()
    {
        constexpr auto wanted =
            "must be lower-case letters, digits, dashes and dots, letters or digits first and last";
        const std::string name = text_at("name");
        std::string prefix = text_at("generateName");
        const json::value* written = metadata_.if_contains("name");
        if (name.empty() && prefix.empty() && (!written || written->is_null() || written->is_string()))
            into_.add(fault::required, "metadata.name", "name or generateName is required");
        if (!name.empty() && !is_subdomain(name))
            add("name", wanted, name);
        // Something will follow the dash.
        if (prefix.size() > 1 && prefix.back() == '-')
            prefix.back() = 'a';
        if (!prefix.empty() && !is_subdomain(prefix))
            add("generateName", wanted, text_at("generateName"));
    }

    const json::object& map_at(std::string_view member) const
    {
        static const json::object none;
        const json::value* found = metadata_.if_contains(member);
        return found && found->is_object() ? found->get_object() : none;
    }

    void check_labels()
    {
        for (const auto& each : map_at("labels"))
        {
            if (!is_qualified_name(each.key()))
                add("labels", "a key must be a name such as app or example.com/app", each.key());
            const json::string* value = each.value().if_string();
            if (value && !is_label_value({value->data(), value->size()}))
                add("labels",
                    "a value must be letters, digits, dashes, dots and underscores, 63 at most",
                    *value);
        }
    }

    void check_annotations()
    {
        std::size_t bytes = 0;
        for (const auto& each : map_at("annotations"))
        {
            std::string key(each.key());
            std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) {
                return std::tolower(c);
            });
            if (!is_qualified_name(key))
                add("annotations", "a key must be a name such as note or example.com/note", each.key());
            bytes += key.size() + (each.value().is_string() ? each.value().get_string().size() : 0);
        }
        if (bytes > most_annotation_bytes)
            into_.add(fault::too_long, "metadata.annotations", "may not be more than 262144 bytes");
    }

    void check_finalizers()
    {
        const json::value* found = metadata_.if_contains("finalizers");
        if (!found || !has_form(*found, form::texts) || found->is_null())
            return;
        for (const json::value& each : found->get_array())
            if (!is_qualified_name(each.get_string()))
                add("finalizers", "must be a name such as example.com/name", each.get_string());
    }

    const json::object& metadata_;
    problem_list& into_;
};

}  // namespace

void check_metadata(const json::object& object, problem_list& into)
{
    static const json::object none;
    const json::value* found = object.if_contains("metadata");
    if (found && !found->is_object() && !found->is_null())
        into.add(fault::wrong_type, "metadata", "must be an object", shown(*found));
    else
        metadata_check(found && found->is_object() ? found->get_object() : none, into).check();
}

}  // namespace portitor::schema
