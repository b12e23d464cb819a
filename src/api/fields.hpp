#pragma once

#include <portitor/core/error.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::api {

/// What the text of a field must look like: a test, and the words that say what passes it.
struct text_rule
{
    bool (*passes)(std::string_view);
    std::string_view expected;
};

bool is_address(std::string_view text);
bool is_used_address(std::string_view text);
bool is_name(std::string_view text);
bool is_hostname(std::string_view text);
bool is_caip2(std::string_view text);
bool is_network(std::string_view text);
bool is_offer_path(std::string_view text);
bool is_http_url(std::string_view text);
bool is_agent_id(std::string_view text);

inline constexpr text_rule address_rule{is_address, "an address: 0x and 40 hexadecimal digits"};
inline constexpr text_rule used_address_rule{
    is_used_address,
    "an address: 0x and 40 hexadecimal digits, not all of them 0, as nobody has the zero address"};
inline constexpr text_rule name_rule{
    is_name, "a name: lower-case letters, digits and dashes, at most 63, a letter or digit first and last"};
inline constexpr text_rule hostname_rule{
    is_hostname, "a lower-case host name with a point, such as api.example.com"};
inline constexpr text_rule caip2_rule{is_caip2, "a CAIP-2 network such as eip155:8453"};
inline constexpr text_rule network_rule{is_network, "a network such as base-sepolia or eip155:84532"};
inline constexpr text_rule offer_path_rule{
    is_offer_path,
    "a path such as /services/hello: a slash first and none last, letters, digits and _ . ~ -, no empty, "
    "\".\" or "
    "\"..\" segment"};
inline constexpr text_rule agent_id_rule{is_agent_id, "the number of an agent: decimal digits"};
inline constexpr text_rule http_url_rule{is_http_url, "an http or https URL without spaces"};

/// Reads the members of one JSON object and remembers the first one that is wrong. An absent or null member
/// is not wrong unless it is required; then the value given as default stands.
class fields
{
public:
    fields(const boost::json::object& members, std::string path, std::optional<error>& first_wrong);

    std::string text(std::string_view key, std::size_t longest, std::string_view otherwise = {}) const;
    std::string text(
        std::string_view key, std::size_t longest, const text_rule& rule, std::string_view otherwise = {}
    ) const;
    std::string required_text(std::string_view key, std::size_t longest) const;
    std::string required_text(std::string_view key, std::size_t longest, const text_rule& rule) const;
    std::int64_t
    integer(std::string_view key, std::int64_t least, std::int64_t most, std::int64_t otherwise) const;
    bool boolean(std::string_view key, bool otherwise) const;
    std::vector<std::string> texts(std::string_view key, std::size_t most, std::size_t longest) const;
    std::map<std::string, std::string>
    text_map(std::string_view key, std::size_t most, std::size_t longest) const;

    bool has(std::string_view key) const { return find(key) != nullptr; }
    /// The object under a key; nothing where it is absent.
    std::optional<fields> object(std::string_view key) const;
    /// The objects of a list.
    std::vector<fields> objects(std::string_view key, std::size_t most) const;

    /// One of the names given, as its position; 0 where it is absent.
    std::size_t one_of(std::string_view key, std::initializer_list<std::string_view> names) const;

    /// Says that a member is wrong, and what was expected.
    void refuse(std::string_view key, std::string_view expected) const;
    const std::string& path() const { return path_; }

private:
    const boost::json::value* find(std::string_view key) const;
    std::string at(std::string_view key) const;

    const boost::json::object* members_;
    std::string path_;
    std::optional<error>* first_wrong_;
};

/// HTTP methods, each once and in order, of those that a route may be for; empty: every one.
std::vector<std::string> read_methods(const fields& in);

}  // namespace portitor::api
