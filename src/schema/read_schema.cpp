#include "schema/cel/program.hpp"
#include "schema/node.hpp"
#include "schema/pattern.hpp"
#include "schema/shown.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace portitor::schema {

namespace json = boost::json;

namespace {

struct named_type
{
    std::string_view name;
    value_type type;
};

constexpr std::array<named_type, 6> types{{
    {"object", value_type::object},
    {"array", value_type::array},
    {"string", value_type::text},
    {"integer", value_type::integer},
    {"number", value_type::number},
    {"boolean", value_type::boolean},
}};

/// Reads one level: each keyword that is there must be one that `read_one` knows.
class level_reader
{
public:
    result<std::unique_ptr<node>> read(const json::object& schema)
    {
        for (const auto& each : schema)
        {
            auto done = read_one(each.key(), each.value());
            if (!done)
                return done.error().within(std::string(each.key()));
        }
        if (out_->type == value_type::any && !out_->keeps_unknown)
            return fail(errc::invalid, "has no type");
        // Rules last: they are checked against all the rest.
        for (const json::value& each : rules_)
        {
            auto done = read_rule(each);
            if (!done)
                return done.error();
        }
        return std::move(out_);
    }

private:
    result<void> read_one(std::string_view key, const json::value& value)
    {
        if (key == "description" || key == "title" || key == "example")
            return {};
        for (const auto handler :
             {&level_reader::read_kind, &level_reader::read_bound, &level_reader::read_inner})
        {
            auto done = (this->*handler)(key, value);
            if (!done)
                return done.error();
            if (*done)
                return {};
        }
        return fail(errc::invalid, "is a keyword, or has a value, that is not known");
    }

    result<bool> read_kind(std::string_view key, const json::value& value)
    {
        if (key == "type" && value.is_string())
        {
            const auto* found = std::find_if(types.begin(), types.end(), [&](const named_type& each) {
                return value.get_string() == each.name;
            });
            if (found == types.end())
                return false;
            out_->type = found->type;
            return true;
        }
        if (key == "format")
            return read_format(value);
        if (key == "default")
        {
            out_->fallback = value;
            return true;
        }
        if (key == "enum" && value.is_array())
        {
            out_->allowed.assign(value.get_array().begin(), value.get_array().end());
            return true;
        }
        if (key == "x-kubernetes-int-or-string" && value.is_bool())
        {
            out_->type = value.get_bool() ? value_type::int_or_text : out_->type;
            return true;
        }
        return flag(key, "nullable", value, out_->nullable) ||
               flag(key, "x-kubernetes-preserve-unknown-fields", value, out_->keeps_unknown);
    }

    static bool flag(std::string_view key, std::string_view name, const json::value& value, bool& into)
    {
        if (key != name || !value.is_bool())
            return false;
        into = value.get_bool();
        return true;
    }

    result<bool> read_format(const json::value& value)
    {
        const std::string_view name = value.is_string() ? std::string_view(value.get_string()) : "";
        out_->date_time = name == "date-time";
        out_->fits_32_bits = name == "int32";
        return out_->date_time || out_->fits_32_bits || name == "int64";
    }

    result<bool> read_bound(std::string_view key, const json::value& value)
    {
        const std::array<std::pair<std::string_view, std::optional<std::uint64_t>*>, 6> counts{{
            {"minLength", &out_->length.least},
            {"maxLength", &out_->length.most},
            {"minItems", &out_->items_count.least},
            {"maxItems", &out_->items_count.most},
            {"minProperties", &out_->properties_count.least},
            {"maxProperties", &out_->properties_count.most},
        }};
        for (const auto& [name, into] : counts)
            if (key == name && value.is_int64() && value.get_int64() >= 0)
            {
                *into = static_cast<std::uint64_t>(value.get_int64());
                return true;
            }
        if ((key == "minimum" || key == "maximum") && value.is_number())
        {
            (key == "minimum" ? out_->minimum : out_->maximum) = value.to_number<double>();
            return true;
        }
        if (key == "pattern" && value.is_string())
        {
            out_->pattern = make_pattern(std::string(value.get_string()));
            return out_->pattern->ok();
        }
        return flag(key, "exclusiveMinimum", value, out_->excludes_minimum) ||
               flag(key, "exclusiveMaximum", value, out_->excludes_maximum);
    }

    result<bool> read_inner(std::string_view key, const json::value& value)
    {
        if (key == "properties" && value.is_object())
            return read_properties(value.get_object());
        if ((key == "items" || key == "additionalProperties") && value.is_object())
        {
            auto inner = read_schema(value.get_object());
            if (!inner)
                return inner.error();
            (key == "items" ? out_->items : out_->additional) = std::move(*inner);
            return true;
        }
        if (key == "required")
            return read_names(value, out_->required);
        if (key == "x-kubernetes-list-map-keys")
            return read_names(value, out_->keys);
        if (key == "x-kubernetes-list-type")
            return read_list_type(value);
        if (key == "x-kubernetes-map-type")
            return value == json::value("atomic") || value == json::value("granular");
        if (key == "x-kubernetes-validations" && value.is_array())
        {
            rules_ = value.get_array();
            return true;
        }
        return false;
    }

    result<bool> read_properties(const json::object& properties)
    {
        for (const auto& each : properties)
        {
            if (!each.value().is_object())
                return false;
            auto inner = read_schema(each.value().get_object());
            if (!inner)
                return inner.error().within(std::string(each.key()));
            out_->properties.emplace(each.key(), std::move(**inner));
        }
        return true;
    }

    static bool read_names(const json::value& value, std::vector<std::string>& into)
    {
        if (!value.is_array())
            return false;
        for (const json::value& each : value.get_array())
        {
            if (!each.is_string())
                return false;
            into.emplace_back(each.get_string());
        }
        return true;
    }

    bool read_list_type(const json::value& value)
    {
        if (value == json::value("set"))
            out_->list = list_type::set;
        else if (value == json::value("map"))
            out_->list = list_type::map;
        else
            return value == json::value("atomic");
        return true;
    }

    result<void> read_rule(const json::value& entry)
    {
        const json::object* given = entry.if_object();
        const json::value* text = given ? given->if_contains("rule") : nullptr;
        if (!text || !text->is_string())
            return fail(errc::invalid, "x-kubernetes-validations: an entry without a rule");
        const std::string written(text->get_string());
        rule out;
        for (const auto& each : *given)
            if (each.key() == "message" && each.value().is_string())
                out.message = std::string(each.value().get_string());
            else if (each.key() != "rule")
                return fail(
                    errc::invalid, "x-kubernetes-validations: {}: {} is not known", written, each.key()
                );
        auto compiled = cel::program::compile(written, *out_);
        if (!compiled)
            return compiled.error().within("x-kubernetes-validations: " + written);
        if (out.message.empty())
            out.message = "failed rule: " + written;
        out.program = std::make_shared<const cel::program>(std::move(*compiled));
        out_->rules.push_back(std::move(out));
        return {};
    }

    std::unique_ptr<node> out_ = std::make_unique<node>();
    json::array rules_;
};

}  // namespace

std::string_view to_string(value_type type)
{
    for (const named_type& each : types)
        if (each.type == type)
            return each.name;
    return type == value_type::int_or_text ? "integer or string" : "any";
}

result<std::unique_ptr<node>> read_schema(const json::object& schema)
{
    return level_reader().read(schema);
}

}  // namespace portitor::schema
