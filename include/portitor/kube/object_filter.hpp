#pragma once

#include <boost/json/object.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace portitor::kube {

/// Which members of an object are built while it is parsed. All others are passed over as they arrive,
/// however large and deep they are. The elements of an array are all treated as `of` says.
class field_filter
{
public:
    using member = std::pair<std::string, field_filter>;

    /// Everything, as it is.
    field_filter() = default;

    /// These members and no others; each as its own filter says.
    static field_filter only(std::vector<member> of);
    /// These members as their own filters say, and all others as they are.
    static field_filter all_but(std::vector<member> of);
    /// Nothing: the member is left out.
    static field_filter nothing() { return only({}); }

    /// Of a member: null where all of it is built.
    const field_filter* find(std::string_view name) const;
    bool keeps_nothing() const { return !others_ && named_.empty(); }

private:
    std::vector<member> named_;
    bool others_ = true;
};

/// What is built of the objects of one kind.
struct object_filter
{
    /// Where no choice is made. Its first level should be all_but(): an error that the server sends in place
    /// of an object has members of its own.
    field_filter usual;
    /// Chooses for one object by its metadata, as `usual` left it; null: as usual. Asked when metadata is
    /// complete, so it says nothing about what came before that: the API server writes it before spec and
    /// status.
    std::function<const field_filter*(const boost::json::object& metadata)> choose = {};
    /// Bytes that are built of one object, roughly; what has more cannot be read.
    std::size_t largest = 8 * 1024 * 1024;
};

/// All but labels and annotations, which may be large, and which many objects are watched without.
std::shared_ptr<const object_filter> without_labels_and_annotations();

}  // namespace portitor::kube
