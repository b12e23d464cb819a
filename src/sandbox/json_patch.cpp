#include "sandbox/json_patch.hpp"

#include <portitor/kube/object.hpp>

#include <boost/json/value.hpp>

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace portitor::sandbox {

namespace json = boost::json;

namespace {

// RFC 6901: ~1 is a slash, ~0 a tilde.
std::string unescape(std::string_view token)
{
    std::string out;
    for (std::size_t i = 0; i < token.size(); ++i)
    {
        const bool escaped = token[i] == '~' && i + 1 < token.size();
        out += escaped ? (token[++i] == '1' ? '/' : '~') : token[i];
    }
    return out;
}

std::optional<std::size_t> index_of(std::string_view token)
{
    std::size_t out = 0;
    const auto [end, ec] = std::from_chars(token.data(), token.data() + token.size(), out);
    if (ec != std::errc() || end != token.data() + token.size())
        return std::nullopt;
    return out;
}

struct operation
{
    std::string what;
    std::string path;
    const json::value* value = nullptr;
};

bool change_list(json::array& list, const std::string& token, const operation& todo)
{
    const bool append = token == "-" && todo.what == "add";
    const auto index = append ? std::optional(list.size()) : index_of(token);
    if (!index || *index > list.size() || (todo.what != "add" && *index == list.size()))
        return false;
    const auto at = list.begin() + static_cast<std::ptrdiff_t>(*index);
    if (todo.what == "add")
        list.insert(at, *todo.value);
    else if (todo.what == "replace")
        *at = *todo.value;
    else
        list.erase(at);
    return true;
}

bool change_object(json::object& object, const std::string& token, const operation& todo)
{
    if (todo.what == "remove")
        return object.erase(token) > 0;
    object[token] = *todo.value;
    return true;
}

bool carry_out(json::value& root, const operation& todo)
{
    const bool known =
        todo.what == "add" || todo.what == "replace" || todo.what == "remove" || todo.what == "test";
    if (!known || !todo.path.starts_with('/') || (todo.what != "remove" && !todo.value))
        return false;
    boost::system::error_code ec;
    if (todo.what == "test")
    {
        const json::value* held = root.find_pointer(todo.path, ec);
        return held && *held == *todo.value;
    }
    const auto last = todo.path.rfind('/');
    json::value* parent = root.find_pointer(todo.path.substr(0, last), ec);
    const std::string token = unescape(std::string_view(todo.path).substr(last + 1));
    if (parent && parent->is_array())
        return change_list(parent->get_array(), token, todo);
    return parent && parent->is_object() && change_object(parent->get_object(), token, todo);
}

}  // namespace

result<void> apply_patch(json::object& root, const json::array& operations)
{
    json::value whole(std::move(root));
    for (const json::value& each : operations)
    {
        operation todo;
        if (const json::object* said = each.if_object())
            todo = {kube::string_at(*said, "op"), kube::string_at(*said, "path"), said->if_contains("value")};
        if (!carry_out(whole, todo))
            return fail(errc::invalid, "the operation \"{} {}\" does not hold", todo.what, todo.path);
    }
    root = std::move(whole.get_object());
    return {};
}

}  // namespace portitor::sandbox
