#include "cli/yaml_builder.hpp"

#include "cli/output/text.hpp"
#include "cli/yaml_scalar.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <yaml-cpp/exceptions.h>

#include <algorithm>

namespace portitor::cli {

namespace json = boost::json;

namespace {

constexpr std::size_t deepest = 64;
constexpr std::size_t longest_shown = 200;
constexpr const char* merge_key = "<<";

bool is_plain(const std::string& tag)
{
    static const std::set<std::string_view> read_as_plain{
        "?",
        "tag:yaml.org,2002:bool",
        "tag:yaml.org,2002:int",
        "tag:yaml.org,2002:float",
        "tag:yaml.org,2002:null"};
    return read_as_plain.contains(tag);
}

[[noreturn]] void refuse(const YAML::Mark& where, const std::string& why)
{
    throw YAML::ParserException(where, why);
}

}  // namespace

void yaml_builder::OnDocumentStart(const YAML::Mark&)
{
    root_ = nullptr;
    open_.clear();
    anchors_.clear();
}

void yaml_builder::OnNull(const YAML::Mark& where, YAML::anchor_t anchor)
{
    if (wants_key())
        refuse(where, "a key must be text");
    add({}, where, anchor);
}

void yaml_builder::OnAlias(const YAML::Mark& where, YAML::anchor_t anchor)
{
    const auto at = anchors_.find(anchor);
    if (at == anchors_.end())
        refuse(where, "an alias stands inside of what it means");
    spend(at->second.weight, where);
    if (wants_key())
        return take_key(at->second.value, at->second.weight, where);
    add(at->second, where, YAML::NullAnchor);
}

void yaml_builder::OnScalar(
    const YAML::Mark& where, const std::string& tag, YAML::anchor_t anchor, const std::string& text
)
{
    const bool as_written = how_ == plain_scalars::as_text || !is_plain(tag);
    const auto value = as_written ? json::value(text) : plain_value(text);
    if (!value)
        refuse(where, text + " is no number that JSON has");
    item what{*value, 1 + text.size()};
    if (!wants_key())
        return add(std::move(what), where, anchor);
    if (tag == "?" && text == merge_key)
        open_.back().merges = true;
    else
        take_key(what.value, what.weight, where);
    if (anchor != YAML::NullAnchor)
        anchors_[anchor] = std::move(what);
}

void yaml_builder::OnSequenceStart(
    const YAML::Mark& where, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value
)
{
    open(json::array(), where, anchor);
}

void yaml_builder::OnMapStart(
    const YAML::Mark& where, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value
)
{
    open(json::object(), where, anchor);
}

bool yaml_builder::wants_key() const
{
    return !open_.empty() && open_.back().what.value.is_object() && !open_.back().key && !open_.back().merges;
}

void yaml_builder::open(json::value empty, const YAML::Mark& where, YAML::anchor_t anchor)
{
    if (wants_key())
        refuse(where, "a key must be text");
    if (open_.size() >= deepest)
        refuse(where, "nested too deeply");
    open_.push_back({{std::move(empty), 1}, where, anchor});
}

void yaml_builder::close()
{
    level done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.what), done.where, done.anchor);
}

void yaml_builder::add(item what, const YAML::Mark& where, YAML::anchor_t anchor)
{
    if (anchor != YAML::NullAnchor)
    {
        // Anchors inside of anchors are copies of copies.
        spend(what.weight, where);
        anchors_[anchor] = what;
    }
    if (open_.empty())
    {
        root_ = std::move(what.value);
        return;
    }
    level& into = open_.back();
    into.what.weight += what.weight;
    if (json::array* list = into.what.value.if_array())
        list->push_back(std::move(what.value));
    else if (std::exchange(into.merges, false))
        merge(into, std::move(what.value), where);
    else
    {
        into.what.value.get_object()[*into.key] = std::move(what.value);
        into.key.reset();
    }
}

// The keys that kubectl makes of booleans and numbers.
void yaml_builder::take_key(const json::value& value, std::size_t weight, const YAML::Mark& where)
{
    if (value.is_structured() || value.is_null())
        refuse(where, "a key must be text");
    level& into = open_.back();
    into.what.weight += weight;
    into.key = value.is_string()   ? std::string(value.get_string())
               : value.is_double() ? fmt::format("{}", value.get_double())
                                   : json::serialize(value);
    const bool is_there = into.what.value.get_object().contains(*into.key);
    if (is_there && into.merged.erase(*into.key) == 0 && mistakes_.size() <= most_mistakes)
        mistakes_.push_back(
            {where, fmt::format("the key \"{}\" comes twice", printable(*into.key, longest_shown))}
        );
}

void yaml_builder::merge(level& into, json::value from, const YAML::Mark& where)
{
    json::array several;
    if (from.is_array())
        several = std::move(from.get_array());
    else
        several.push_back(std::move(from));
    // Of several the first counts.
    std::reverse(several.begin(), several.end());
    json::object& object = into.what.value.get_object();
    for (json::value& each : several)
    {
        if (!each.is_object())
            refuse(where, "<< takes a mapping, or a list of mappings");
        for (auto& [key, value] : each.get_object())
        {
            object[key] = std::move(value);
            into.merged.emplace(key);
        }
    }
}

void yaml_builder::spend(std::size_t weight, const YAML::Mark& where)
{
    if (weight > allowance_)
        refuse(where, "too long, by its aliases");
    allowance_ -= weight;
}

}  // namespace portitor::cli
