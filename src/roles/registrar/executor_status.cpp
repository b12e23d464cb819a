#include "roles/registrar/executor.hpp"
#include "roles/registrar/steps.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/object.hpp>

#include <algorithm>
#include <tuple>

// What the executor finds out in the cluster, and what it writes there.
namespace portitor::registrar {

namespace asio = boost::asio;
namespace json = boost::json;
using api::registration_phase;

namespace {

constexpr std::chrono::seconds key_comes(30);
constexpr std::chrono::seconds key_is_read(1);

/// Whether the chain has all that the spec wants.
bool is_brought_to_end(const request_status& status, const api::registration_request& request)
{
    return status.phase == registration_phase::confirmed &&
           status.observed_generation == request.meta.generation;
}

/// A field that the server's schema does not know.
bool is_about_schema(const error& why)
{
    return why.message().find("not declared in schema") != std::string::npos ||
           why.message().find("unknown field") != std::string::npos;
}

/// The first field of what was written that did not come back as it was; empty: none. Conditions are words.
std::string first_lost(const json::object& record, const json::object& kept)
{
    for (const auto& [key, value] : record)
    {
        const json::value* found = kept.if_contains(key);
        if (key != "conditions" && (!found || *found != value))
            return key;
    }
    return {};
}

}  // namespace

std::variant<permission, off_chain>
executor::rule_on(api::registration_request request, const request_status& status) const
{
    const options& all = around_.settings;
    // What was minted here is retired whatever the spec says by then.
    if (request.state == api::desired_state::retired && !status.previous_uri)
        request.agent_id.clear();
    return judge_permission(request, all.chains, all.networks.table, all.lists, around_.keys.has_operators());
}

/// Where a signed transaction goes; nothing where the operator has no node there any more.
std::optional<permission> executor::way_of_record(const write_ahead& record) const
{
    const auto sent = evm::read_signed(record.raw);
    if (!sent)
        return std::nullopt;
    const auto& table = around_.settings.networks.table;
    for (const config::chain& each : around_.settings.chains.entries)
    {
        const x402::network* network = table.find(each.name);
        if (!network || network->chain_id != sent->chain_id || each.rpc_urls.empty())
            continue;
        permission out;
        out.chain = &each;
        out.chain_id = sent->chain_id;
        // What only gives a nonce away names no registry.
        const auto registry = evm::address::parse(each.registry);
        out.registry = record.canceled_from > 0 && registry ? *registry : sent->to;
        return out;
    }
    return std::nullopt;
}

asio::awaitable<result<void>> executor::find_offer(pass* of)
{
    if (of->not_before != 0)
        co_return result<void>();
    auto since = of->request.meta.created;
    if (!of->offer.name.empty())
    {
        auto offer = co_await around_.server.get(api::service_offer_resource, {of->offer.ns, of->offer.name});
        if (!offer && !offer.error().is_not_found())
            co_return offer.error().to_error();
        of->owned = offer && (*offer)->meta.uid == of->offer.uid;
        if (of->owned)
            since = (*offer)->meta.created;
    }
    // Clocks of cluster and chain may differ.
    since -= std::chrono::minutes(15);
    of->not_before =
        static_cast<std::uint64_t>(std::max<std::int64_t>(clock::time_point::clock::to_time_t(since), 1));
    co_return result<void>();
}

/// Whose key signs. A pause where that cannot be told just now.
asio::awaitable<result<std::optional<executor::pause>>> executor::find_signer(pass* of)
{
    const auto& own = of->request.private_key_secret;
    auto signer = of->allowed.key == key_source::own
                      ? co_await around_.keys.of_secret({of->request.meta.ns, own->name}, own->key)
                  : around_.keys.has_operators()
                      ? co_await around_.keys.of_operator()
                      : result<signers::signer_ptr>(fail(errc::not_found, "the registrar has no key"));
    if (signer)
        of->signer = *signer;
    if (is_waiting(of->status))
    {
        of->address = of->status.under_way->account;
        co_return std::optional<pause>();
    }
    if (signer)
    {
        of->address = (*signer)->account();
        co_return std::optional<pause>();
    }
    if (signer.error().code() == errc::conflict)
        co_return std::optional(pause(key_is_read));
    request_status status = of->status;
    status.phase = registration_phase::pending;
    status.reason = "NoKey";
    status.message = signer.error().message();
    if (auto written = co_await write_status(of, std::move(status)); !written)
        co_return written.error();
    co_return std::optional(pause(key_comes));
}

bool executor::is_identity_taken(const pass& of) const
{
    const auto id = parse_u256(of.request.agent_id);
    if (!id || of.status.agent_id)
        return false;
    const auto has_it = [&](const kube::object_ptr& each) {
        if (!each || !each->unreadable.empty() || each->meta.uid == of.request.meta.uid)
            return false;
        const auto other = api::parse_registration_request(*each);
        const auto status = read_request_status(*each);
        if (!other || !status || other->chain != of.request.chain ||
            status->phase == registration_phase::retired)
            return false;
        if (status->agent_id == *id)
            return true;
        // Whoever may not have it does not keep it from others by asking.
        const auto asked = parse_u256(other->agent_id);
        return asked && *asked == *id && std::holds_alternative<permission>(rule_on(*other, *status)) &&
               std::tie(each->meta.created, each->meta.uid) <
                   std::tie(of.request.meta.created, of.request.meta.uid);
    };
    return std::ranges::any_of(around_.all_requests(), has_it);
}

/// Says why nothing is sent. What is on chain already, or on its way there, is not denied.
asio::awaitable<result<executor::pause>> executor::end_off_chain(pass* of, off_chain why)
{
    const bool is_retired = of->request.state == api::desired_state::retired;
    const bool touched = has_touched_chain(of->status);
    // It has ended, whoever saw to it.
    if (is_retired && of->status.phase == registration_phase::retired && !is_waiting(of->status))
        co_return pause();
    if (auto found = co_await find_offer(of); !found)
        co_return found.error();
    if (!of->owned && !is_retired && !touched)
    {
        left_alone_.insert(of->request.meta.key());
        around_.news.ignored(*of->live, "no ServiceOffer with its owner's UID exists");
        co_return pause();
    }
    request_status status = of->status;
    status.reason = why.reason;
    status.message = why.message;
    if (is_retired && !is_waiting(of->status) && (!touched || of->status.previous_uri))
    {
        status.phase = registration_phase::retired;
        status.reason = "Retired";
        status.message = touched ? "the agent was taken over and keeps its URI"
                                 : "nothing was registered on chain, so there is nothing to take back";
    }
    else if (!touched)
        status.phase = why.is_end ? registration_phase::off_chain_only : registration_phase::failed;
    else if (!is_retired && !is_waiting(of->status) && is_brought_to_end(of->status, of->request))
        co_return pause();
    else
    {
        status.phase = registration_phase::failed;
        status.message = fmt::format(
            "{} on {}, and {}",
            of->status.agent_id ? fmt::format("agent {} is registered", to_string(*of->status.agent_id))
                                : std::string("a transaction is under way"),
            of->request.chain,
            why.message
        );
    }
    if (status.phase != registration_phase::failed || !touched)
        status.observed_generation = of->request.meta.generation;
    if (auto written = co_await write_status(of, std::move(status)); !written)
        co_return written.error();
    co_return pause();
}

asio::awaitable<result<executor::outcome>>
executor::say(pass* of, std::string reason, std::string message, std::chrono::milliseconds then)
{
    co_return co_await take(of, wait_for(situation_of(*of), std::move(reason), std::move(message), then));
}

asio::awaitable<result<void>> executor::write_status(pass* of, request_status status)
{
    if (status == of->status && told_generation(*of->live) == of->live->meta.generation)
        co_return result<void>();
    const json::object record = to_json(status, *of->live, around_.wall.now());
    json::object wanted = kube::make_status(api::registration_request_resource, of->live->meta, record);
    // Whoever else wrote meanwhile knows more than this pass.
    wanted["metadata"].as_object()["resourceVersion"] = of->live->meta.resource_version;
    kube::apply_options how;
    how.field_manager = api::registrar_field_manager;
    how.subresource = "status";
    auto written =
        co_await around_.server.apply(api::registration_request_resource, std::move(wanted), std::move(how));
    if (!written && (written.error().is_conflict() || written.error().is_not_found()))
        co_return fail(errc::conflict, "somebody else changed the request");
    if (!written && is_about_schema(written.error().to_error()))
        co_return fail(
            errc::protocol,
            "the API server takes no such status ({}); apply the CRD of this version",
            written.error().to_error().message()
        );
    if (!written)
        co_return written.error().to_error();
    of->live = std::move(*written);
    // Nothing is sent of which the next process would not know.
    if (const std::string lost = first_lost(record, of->live->status()); !lost.empty())
        co_return fail(
            errc::protocol,
            "the API server does not keep status.{} as it was written; apply the CRD of this version",
            lost
        );
    count_mined(*of, status);
    around_.news.told(*of->live, of->offer, of->status, status);
    of->status = std::move(status);
    co_return result<void>();
}

}  // namespace portitor::registrar
