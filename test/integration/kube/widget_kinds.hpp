#pragma once

#include "sandbox/storage.hpp"
#include "server_under_test.hpp"

#include <portitor/kube/lease_record.hpp>

namespace portitor::test {

/// The widgets as kube_control.py defines them for the real server.
inline sandbox::kind_info widget_kind()
{
    sandbox::kind_info out = sandbox::make_kind(widgets, true);
    out.spec_fields = {"size", "color", "note"};
    return out;
}

/// The kinds that the cases use.
inline void add_kinds(sandbox::storage& to)
{
    to.add_kind(sandbox::make_kind(config_maps));
    to.add_kind(sandbox::make_kind({"", "v1", "events", "Event"}));
    to.add_kind(sandbox::make_kind(kube::leases));
    to.add_kind(widget_kind());
}

}  // namespace portitor::test
