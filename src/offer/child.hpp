#pragma once

#include <portitor/api/ownership.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <string>

namespace portitor::offer {

/// The objects that Portitor makes for an offer, in the order in which they are made.
enum class child_kind : unsigned char
{
    payment_route,
    middleware,  ///< the gate
    cors,        ///< the Middleware that answers preflights before the gate, where the operator wants one
    in_flight,   ///< the Middleware that bounds requests at a time, where the offer wants one
    rate,        ///< the same for requests a second
    http_route,
    registration,
};

inline constexpr std::size_t child_count = 7;

/// The Middlewares that not every offer has, in the order in which a request meets them, before the gate.
inline constexpr std::array optional_middlewares{child_kind::cors, child_kind::in_flight, child_kind::rate};

/// What is known of a kind of child beforehand.
struct child_type
{
    child_kind kind;
    const kube::resource& resource;
    std::string (*name_of)(std::string_view offer);  ///< the name of an offer's child
    std::string_view condition;                      ///< the type of the condition that tells how it stands

    kube::object_key key_for(const kube::object_identity& offer) const
    {
        return {offer.ns, name_of(offer.name)};
    }
};

/// By child_kind.
extern const std::array<child_type, child_count> child_types;

/// Which of the Middlewares of an offer has this name; all others count as gates.
child_kind middleware_named(std::string_view name);

inline const child_type& type_of(child_kind kind)
{
    return child_types[static_cast<std::size_t>(kind)];
}

/// One value for each kind of child.
template <typename T>
class by_child
{
public:
    T& operator[](child_kind kind) { return values_[static_cast<std::size_t>(kind)]; }
    const T& operator[](child_kind kind) const { return values_[static_cast<std::size_t>(kind)]; }

private:
    std::array<T, child_count> values_{};
};

/// What is seen of a child, and what is remembered of it.
struct child
{
    kube::object_ptr live;  ///< whatever bears its name; null where nothing does
    bool ours = false;      ///< made for this very offer

    std::string error;        ///< what the last attempt to write it failed with
    bool lost = false;        ///< somebody else has deleted it
    bool taken_down = false;  ///< we have deleted it, and not made it again since
    /// How long its next repair, or its next return, has to wait; 0: not at all.
    std::chrono::milliseconds wait{0};
    /// How long any write of it but a repair has to wait for others of its namespace; 0: not at all.
    std::chrono::milliseconds turn{0};

    /// The live object where it is ours; else null.
    const kube::object* own() const { return ours ? live.get() : nullptr; }
};

using children = by_child<child>;

/// Finds what bears a name; null where there is nothing.
using child_finder = std::function<kube::object_ptr(child_kind kind, const kube::object_key& key)>;

/// The children of an offer as they are now, with nothing remembered.
children find_children(const kube::object_identity& offer, const child_finder& find);

}  // namespace portitor::offer
