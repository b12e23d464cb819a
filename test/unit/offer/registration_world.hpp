#pragma once

#include "offer_world.hpp"

/// Offers that are to be registered on chain.
namespace portitor::test {

inline world registering()
{
    world all;
    all.edit("/spec/registration", R"({"enabled": true})");
    return all;
}

/// Sold, and registered as agent 7.
inline world confirmed()
{
    world all = registering();
    all.sell();
    all.registrar(R"({"phase": "Confirmed", "agentId": "7", "txHash": "0xabc"})");
    all.settle();
    return all;
}

inline std::string state(const world& all)
{
    return kube::string_at(all.seen.registration->spec(), "desiredState");
}

inline std::string warnings(const offer::plan& all)
{
    std::string out;
    for (const offer::note& each : all.notes)
        out += each.type == offer::note::severity::warning ? each.message : "";
    return out;
}

}  // namespace portitor::test
