#pragma once

#include "offer/offer_record.hpp"

#include <portitor/kube/api.hpp>
#include <portitor/kube/informer.hpp>
#include <portitor/kube/selector.hpp>

#include <string>

namespace portitor::offer {

/// Which offers the operator lets Portitor act on. All are read, whatever their labels: one that loses its
/// label is to be taken down, and who has which path is decided among all that are published.
class offer_selection
{
public:
    /// All of them.
    offer_selection() = default;
    /// By a label selector; empty: all. errc::invalid for what is none.
    static result<offer_selection> parse(const std::string& labels);

    /// What is listed and watched.
    kube::selection watched() const;

    /// As offer_record::decode(), with offer_record::selected.
    kube::decoder<offer_record> decoder() const;
    /// As offer_record::stand_in(). An offer whose labels cannot be read counts as selected: what is sold of
    /// it may not be what it says now.
    kube::stand_in_maker<offer_record> stand_in() const;

private:
    kube::object_predicate has_;  ///< empty: all
};

}  // namespace portitor::offer
