#include <portitor/http/server_request.hpp>

#include <algorithm>
#include <cstring>

namespace portitor::http {

namespace {

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// What a request of unusual size has left behind is given back.
constexpr std::size_t most_kept_body = 16 * 1024;
constexpr std::size_t most_kept_headers = 128;

}  // namespace

bool equal_names(std::string_view left, std::string_view right) noexcept
{
    return left.size() == right.size() &&
           std::equal(left.begin(), left.end(), right.begin(), [](char a, char b) {
               return lower(a) == lower(b);
           });
}

std::string_view server_request::operator[](std::string_view name) const noexcept
{
    const auto found = std::find_if(headers_.begin(), headers_.end(), [&](const header& each) {
        return equal_names(each.name, name);
    });
    return found == headers_.end() ? std::string_view() : found->value;
}

void server_request::clear()
{
    headers_.clear();
    if (headers_.capacity() > most_kept_headers)
        headers_.shrink_to_fit();
    body_.clear();
    if (body_.capacity() > most_kept_body)
        body_.shrink_to_fit();
    texts_.release();
    method_text_ = target_ = {};
}

std::string_view server_request::keep(std::string_view text)
{
    if (text.empty())
        return {};
    char* const copy = static_cast<char*>(texts_.allocate(text.size(), 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
}

void server_request::set_start(
    verb method, std::string_view method_text, std::string_view target, unsigned version
)
{
    method_ = method;
    method_text_ = keep(method_text);
    target_ = keep(target);
    version_ = version;
}

void server_request::add_header(std::string_view name, std::string_view value)
{
    headers_.push_back({keep(name), keep(value)});
}

}  // namespace portitor::http
