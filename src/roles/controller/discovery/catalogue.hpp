#pragma once

#include "roles/controller/discovery/documents.hpp"

#include <portitor/core/timekeeper.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace portitor::controller {

/// A document, with the hash of its text as its strong entity tag.
struct document
{
    document() = default;
    explicit document(std::string content);

    std::string text;
    std::string etag;  ///< with its quotes
};

using document_ptr = std::shared_ptr<const document>;

/// The discovery documents of all offers, for each host those of what is sold there, always made of what the
/// stores hold. A change costs nothing until
/// somebody asks; then each changed offer is looked at once, and the lists are put together again where that
/// changed them, at most once a second: under load a list is at most that old. Memory: the entries of the
/// listed offers and each list's text. One strand.
class catalogue
{
public:
    /// Finds an offer with what was made of it; the offer is null where there is none.
    using lookup = std::function<offer_view(const kube::object_key& offer)>;

    /// All of it must outlive the catalogue.
    catalogue(const offer::plan_settings& settings, const clock& wall, const timekeeper& time, lookup find);

    /// Something about this offer or its children has changed, in the stores already.
    void note_change(const kube::object_key& offer);

    /// Of a host that is an offer's own, or of the public ones, which is the empty one.
    document_ptr services(const std::string& host = {});
    document_ptr registrations(const std::string& host = {});

    /// The offer's registration document; null where there is none. Agents are found at the public hosts,
    /// whichever host their offers have: there all documents are.
    document_ptr registration(const kube::object_key& offer, const std::string& host = {}) const;

    /// Offers that are listed, as of the last look.
    std::size_t size() const { return entries_.size(); }

private:
    struct entry
    {
        list_entry texts;
        std::string host;
        std::optional<clock::time_point> until;
    };

    /// What is listed at one host; the documents are null until somebody asks.
    struct shelf
    {
        std::set<kube::object_key> offers;
        document_ptr services;
        document_ptr registrations;
    };

    void refresh();
    const shelf& shelf_of(const std::string& host);
    std::string host_of(const offer_view& seen) const;
    void take_expired(clock::time_point now);
    void look_at(const kube::object_key& offer, clock::time_point now);
    void note_end(const kube::object_key& offer, entry& of, std::optional<clock::time_point> until);
    void forget(std::map<kube::object_key, entry>::iterator which);
    void assemble(shelf& which, const std::string& host) const;

    const offer::plan_settings& settings_;
    const clock& wall_;
    const timekeeper& time_;
    lookup find_;
    std::set<kube::object_key> changed_;
    std::map<kube::object_key, entry> entries_;
    std::set<std::pair<clock::time_point, kube::object_key>> expiring_;  ///< entries with an end, by it
    std::optional<timekeeper::time_point> looked_at_;
    std::map<std::string, shelf> shelves_;  ///< by host; none of them is empty
    shelf empty_;                           ///< that was asked for last
};

}  // namespace portitor::controller
