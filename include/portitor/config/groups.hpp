#pragma once

#include <portitor/config/loader.hpp>

namespace portitor::config {

// A group of options is a struct with declare(loader&), which adds its options, and resolve(), which fills in
// what depends on others and checks what only fits together. Whoever reads some groups has them as members.

template <typename... Groups>
void declare_all(loader& into, Groups&... groups)
{
    (groups.declare(into), ...);
}

/// The first group that cannot be resolved ends it.
template <typename... Groups>
result<void> resolve_all(Groups&... groups)
{
    result<void> done;
    static_cast<void>((static_cast<bool>(done = groups.resolve()) && ...));
    return done;
}

/// Options as they are where nothing is given, resolved: for a test, or whoever starts a role from inside.
template <typename Options>
Options defaults()
{
    Options out;
    loader fallbacks("", "", "");
    out.declare(fallbacks);
    fallbacks.apply_fallbacks();
    out.resolve().value();
    return out;
}

}  // namespace portitor::config
