#pragma once

#include "offer/plan_settings.hpp"

#include <portitor/api/service_offer.hpp>

#include <boost/json/object.hpp>

#include <span>
#include <string>
#include <string_view>

/// The registration document of an agent (ERC-8004, "agent registration file"): the same behind its URI and
/// on chain. Strangers show it, so nothing of it misleads whoever reads it. Pure.
namespace portitor::offer {

inline constexpr const char* agent_document_type = "https://eips.ethereum.org/EIPS/eip-8004#registration-v1";

/// The most that a RegistrationRequest carries of it, in bytes.
inline constexpr std::size_t longest_document = 8192;

/// One of "services".
boost::json::object service_of_agent(const std::string& name, const std::string& endpoint);

/// What an offer says of itself as an agent, but for its registrations, which the registrar knows.
/// `wanted`: it is to be registered. `active`: it is sold now.
boost::json::object
agent_document(const api::service_offer& offer, const plan_settings& settings, bool wanted, bool active);

/// The same of what was last to be registered, where the offer cannot be read any more; never active.
boost::json::object agent_document(const boost::json::object& request_spec, bool wanted);

/// The same as agent_document() of an offer that is to be registered, as text that a RegistrationRequest can
/// carry: where it is too long, what is needed least is left out.
std::string short_document(const api::service_offer& offer, const plan_settings& settings, bool active);

/// One of "registrations". By hand, because an id has up to 256 bits and must be a JSON number: digits
/// without leading zeros.
std::string
registration_entry(std::string_view agent_id, std::string_view caip2_chain, std::string_view registry);

/// The text of an object, with one more member: a list of JSON texts.
std::string with_list(std::string object, std::string_view name, std::span<const std::string_view> list);

}  // namespace portitor::offer
