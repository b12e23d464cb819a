#pragma once

#include "cli/cluster/market_view.hpp"
#include "cli/doctor/finding.hpp"
#include "offer/plan_settings.hpp"
#include "roles/process.hpp"

#include <portitor/config/service_port.hpp>
#include <portitor/core/u256.hpp>
#include <portitor/http/client.hpp>
#include <portitor/kube/api.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::cli::doctor {

/// What all areas look at. It outlives them, and so does all that it refers to.
struct patient
{
    const roles::process& around;
    kube::api& server;
    http::client& web;  ///< for everything but the API server
    const offer::plan_settings& settings;
    bool settings_known = false;  ///< they are the installation's, and not only defaults
    std::string release;          ///< namespace of the release
    config::service_port discovery;
    std::string registrar;                ///< account whose balance is looked at; empty: not known
    std::chrono::milliseconds limit;      ///< for one question to somebody outside of the API server
    const market_view* market = nullptr;  ///< null where the offers cannot be read
    std::string no_market;                ///< why
    std::string only_namespace{};         ///< of the offers that are looked at; empty: all
    u256 low_balance{};                   ///< wei; the registrar sends nothing from an account that has less
};

/// One part of the examination.
struct area
{
    std::string_view name;
    std::string_view about;     ///< for the help
    bool asks_outside = false;  ///< asks others than the API server: left out with --offline
    boost::asio::awaitable<void> (*examine)(const patient& of, notebook& into);
};

/// All of them, in the order of the report.
const std::vector<area>& all_areas();

// Each looks, writes down what it finds, and changes nothing. What it is given outlives it.
boost::asio::awaitable<void> examine_api_server(const patient& of, notebook& into);
boost::asio::awaitable<void> examine_crds(const patient& of, notebook& into);
boost::asio::awaitable<void> examine_rights(const patient& of, notebook& into);
boost::asio::awaitable<void> examine_roles(const patient& of, notebook& into);
boost::asio::awaitable<void> examine_gateway(const patient& of, notebook& into);
boost::asio::awaitable<void> examine_traefik(const patient& of, notebook& into);
boost::asio::awaitable<void> examine_bypasses(const patient& of, notebook& into);
boost::asio::awaitable<void> examine_gate(const patient& of, notebook& into);
boost::asio::awaitable<void> examine_facilitators(const patient& of, notebook& into);
boost::asio::awaitable<void> examine_nodes(const patient& of, notebook& into);
boost::asio::awaitable<void> examine_certificates(const patient& of, notebook& into);
boost::asio::awaitable<void> examine_offers(const patient& of, notebook& into);

}  // namespace portitor::cli::doctor
