#pragma once

#include <portitor/kube/object.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace portitor::kube {

/// The names of members, each kept once and for ever: they are about half of what an object consists of.
/// Takes so many and no more, and no long ones, because also those come here that users make up. One strand.
class member_names
{
public:
    static constexpr std::size_t most = 1024;

    /// The number of a name, from 1; 0 where there is no room for it.
    std::uint32_t number_of(std::string_view name);
    /// @pre number_of() has returned `number`, and it is not 0
    std::string_view name_of(std::uint32_t number) const { return names_[number - 1]; }

private:
    struct hash : std::hash<std::string_view>
    {
        using is_transparent = void;
    };
    std::unordered_map<std::string, std::uint32_t, hash, std::equal_to<>> numbers_;
    std::vector<std::string> names_;
};

/// An object in a fifth of its memory, for those that are many and looked at seldom.
struct packed_object
{
    object_identity meta;
    std::string bytes;                                   ///< the rest as pack() writes it
    std::unique_ptr<const std::string> unreadable = {};  ///< as object's; null where it could be read
};

using packed_ptr = std::shared_ptr<const packed_object>;

/// Packs what the API server sent, without managedFields; errc::protocol where metadata.name is missing.
/// `unreadable` is as object's.
result<packed_ptr>
pack(boost::json::object&& raw, member_names& names, const std::string& unreadable = std::string());

/// Packs no more of an object than which one it is.
packed_ptr pack_identity(const object_identity& which, member_names& names, const std::string& unreadable);

/// The object as parse_object() would have made it; null for null. @pre `names` is what it was packed with
object_ptr unpack(const packed_ptr& packed, const member_names& names);

}  // namespace portitor::kube
