#include <portitor/kube/object.hpp>
#include <portitor/kube/selector.hpp>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

namespace portitor::kube {

namespace json = boost::json;

namespace {

struct requirement
{
    enum class relation
    {
        in,
        not_in,
        exists,
        not_exists,
    };

    std::string key;
    relation what = relation::exists;
    std::vector<std::string> values = {};

    bool holds(const std::optional<std::string>& held) const
    {
        const bool named = held && std::find(values.begin(), values.end(), *held) != values.end();
        switch (what)
        {
        case relation::in:
            return named;
        case relation::not_in:
            return !named;
        case relation::exists:
            return held.has_value();
        case relation::not_exists:
            return !held;
        }
        return false;
    }
};

using relation = requirement::relation;

std::string trimmed(std::string_view text)
{
    const auto from = text.find_first_not_of(' ');
    if (from == text.npos)
        return {};
    return std::string(text.substr(from, text.find_last_not_of(' ') - from + 1));
}

// At commas, but for those in parentheses.
std::vector<std::string> split(std::string_view text)
{
    std::vector<std::string> out;
    int depth = 0;
    std::size_t from = 0;
    for (std::size_t i = 0; i <= text.size(); ++i)
    {
        if (i < text.size() && (text[i] == '(' || text[i] == ')'))
            depth += text[i] == '(' ? 1 : -1;
        if (i < text.size() && (text[i] != ',' || depth > 0))
            continue;
        if (std::string part = trimmed(text.substr(from, i - from)); !part.empty())
            out.push_back(std::move(part));
        from = i + 1;
    }
    return out;
}

std::optional<requirement> parse_set(std::string_view text)
{
    const auto open = text.find('(');
    if (open == text.npos || !text.ends_with(')'))
        return std::nullopt;
    const std::string before = trimmed(text.substr(0, open));
    const auto space = before.find(' ');
    if (space == before.npos)
        return std::nullopt;
    const std::string word = trimmed(std::string_view(before).substr(space));
    if (word != "in" && word != "notin")
        return std::nullopt;
    return requirement{
        before.substr(0, space),
        word == "in" ? relation::in : relation::not_in,
        split(text.substr(open + 1, text.size() - open - 2)),
    };
}

std::optional<requirement> parse(std::string_view text)
{
    if (text.find_first_of("()") != text.npos)
        return parse_set(text);
    if (text.starts_with('!'))
        return requirement{trimmed(text.substr(1)), relation::not_exists};
    const auto at = text.find('=');
    if (at == text.npos)
        return requirement{trimmed(text), relation::exists};
    const bool negated = at > 0 && text[at - 1] == '!';
    const bool twice = at + 1 < text.size() && text[at + 1] == '=';
    return requirement{
        trimmed(text.substr(0, negated ? at - 1 : at)),
        negated ? relation::not_in : relation::in,
        {trimmed(text.substr(twice ? at + 2 : at + 1))},
    };
}

bool is_word(std::string_view text, std::string_view more)
{
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               more.find(c) != more.npos;
    });
}

// What no label can be matches nothing, or everything: a slip, and not what was meant.
bool can_hold(const requirement& of)
{
    return is_word(of.key, "-_./") && std::all_of(of.values.begin(), of.values.end(), [](const auto& each) {
               return is_word(each, "-_.");
           });
}

result<std::vector<requirement>> parse_all(const std::string& text, bool of_labels)
{
    std::vector<requirement> out;
    for (const std::string& each : split(text))
    {
        auto made = parse(each);
        if (!made || made->key.empty() || made->key.find(' ') != std::string::npos ||
            (of_labels && !can_hold(*made)))
            return fail(errc::invalid, "\"{}\" is no requirement of a selector", each);
        out.push_back(std::move(*made));
    }
    return out;
}

std::optional<std::string> label_of(const json::object& object, const std::string& key)
{
    const json::value* labels = kube::find_path(object, "metadata.labels");
    const json::value* held = labels && labels->is_object() ? labels->get_object().if_contains(key) : nullptr;
    if (!held || !held->is_string())
        return std::nullopt;
    return std::string(held->get_string());
}

}  // namespace

result<object_predicate>
make_predicate(const std::string& ns, const std::string& labels, const std::string& fields)
{
    auto of_labels = parse_all(labels, true);
    if (!of_labels)
        return of_labels.error().within("labelSelector");
    auto of_fields = parse_all(fields, false);
    if (!of_fields)
        return of_fields.error().within("fieldSelector");
    return object_predicate([ns, by_label = *of_labels, by_field = *of_fields](const json::object& object) {
        const auto has_label = [&](const requirement& each) {
            return each.holds(label_of(object, each.key));
        };
        // A field that is not there is an empty one.
        const auto has_field = [&](const requirement& each) {
            return each.holds(kube::string_at(object, each.key));
        };
        return (ns.empty() || kube::string_at(object, "metadata.namespace") == ns) &&
               std::all_of(by_label.begin(), by_label.end(), has_label) &&
               std::all_of(by_field.begin(), by_field.end(), has_field);
    });
}

}  // namespace portitor::kube
