#pragma once

#include <portitor/api/conditions.hpp>

#include <array>
#include <string_view>

/// The table behind hint_for().
namespace portitor::cli::sell::hints {

namespace because = api::because;

/// What is known about a reason beforehand. In commands {ns}, {name} and {upstream} (the Service's
/// namespace) are filled in.
struct entry
{
    std::string_view reason;
    std::string_view words;
    std::string_view command = {};
};

inline constexpr std::string_view look_at_offer = "kubectl get serviceoffer {name} -n {ns} -o yaml";
inline constexpr std::string_view look_at_service = "kubectl get service,endpointslices -n {upstream}";
inline constexpr std::string_view look_at_payment_route =
    "kubectl get paymentroute {name}-payment -n {ns} -o yaml";
inline constexpr std::string_view look_at_http_route = "kubectl get httproute so-{name} -n {ns} -o yaml";
inline constexpr std::string_view look_at_children = "kubectl get httproute,middleware,paymentroute -n {ns}";
inline constexpr std::string_view look_at_events =
    "kubectl get events -n {ns} --field-selector involvedObject.name={name}";
inline constexpr std::string_view look_at_registration =
    "kubectl get registrationrequest {name}-registration -n {ns} -o yaml";
inline constexpr std::string_view look_at_offers = "portitor sell list -A";
inline constexpr std::string_view look_at_gate = "portitor sell test {name} -n {ns}";
inline constexpr std::string_view resume = "portitor sell resume {name} -n {ns}";
inline constexpr std::string_view what_operator_set =
    "kubectl get configmap portitor-config -n portitor -o yaml";

inline constexpr std::array entries{
    // ModelReady
    entry{because::asking.name, "Wait: the runtime is being asked which models it has"},
    entry{because::listed.name, "Nothing: the runtime has the model"},
    entry{
        because::missing_model.name, "Name the model with --model of portitor sell inference", look_at_offer},
    entry{
        because::not_listed.name,
        "Load the model into the runtime, or correct --model; it is sold all the same",
        look_at_service},
    entry{
        because::runtime_unreadable.name,
        "See that --runtime (ollama, vllm, tgi) is what runs at the upstream; it is sold all the same",
        look_at_service},
    // UpstreamHealthy
    entry{
        because::cross_namespace_upstream.name,
        "Have a ReferenceGrant made in the Service's namespace, or sell from that namespace",
        "kubectl get referencegrants -n {upstream}"},
    entry{
        because::external_name_upstream.name,
        "Name a Service whose pods or addresses are in the cluster's own objects",
        look_at_service},
    entry{because::healthy.name, "Nothing: the service answers"},
    entry{because::probing.name, "Wait: the service is being asked for the first time", look_at_service},
    entry{
        because::unhealthy.name,
        "See that the pods of the Service run and answer the health path with 2xx; correct "
        "--health-path or --port "
        "where they are wrong. It sells again by itself as soon as it answers",
        look_at_service},
    // PaymentGateReady
    entry{because::admitted.name, "Nothing: a verifier sells on these terms"},
    entry{
        because::invalid_price.name,
        "Write a decimal amount of the token above zero, with no more places than it has: --price 0.001",
        look_at_offer},
    entry{
        because::network_not_served.name,
        "Write a network that the facilitator serves, or have the operator name one that serves this network",
        what_operator_set},
    entry{
        because::no_gate_key.name,
        "Have the operator give controller and verifier a --gate-key-file, or leave --credential out",
        what_operator_set},
    entry{
        because::no_verifier_endpoints.name,
        "Tell the operator: no pod of the verifier is ready, and everything is refused",
        "kubectl get pods -n portitor"},
    entry{
        because::not_admitted.name,
        "Correct what the message names, or have the operator correct the verifier's configuration",
        look_at_payment_route},
    entry{
        because::refused_by_some.name,
        "Tell the operator: one of the verifiers runs with another configuration than the rest",
        look_at_payment_route},
    entry{
        because::timeout_too_short.name,
        "Write the time that the message names, or leave maxTimeoutSeconds out",
        look_at_offer},
    entry{
        because::unknown_asset.name,
        "Leave --token out for the network's first, or name one that it has",
        what_operator_set},
    entry{
        because::unknown_credential.name,
        "Correct --credential, or have the operator add it for this namespace",
        what_operator_set},
    entry{
        because::unknown_facilitator.name,
        "Leave --facilitator out, or name one on the operator's list",
        what_operator_set},
    entry{
        because::unknown_network.name,
        "Write a network that the operator has: --network base-sepolia",
        what_operator_set},
    entry{
        because::unsupported_asset.name,
        "Write the way that the token is moved by, or leave it out",
        look_at_offer},
    entry{
        because::unsupported_settlement.name,
        "Write settlement: beforeResponse, or leave it out",
        look_at_offer},
    entry{
        because::waiting_for_admission.name,
        "Wait some seconds; if it lasts, the operator sees to it that the verifier runs",
        look_at_payment_route},
    entry{
        because::wrong_checksum.name,
        "Copy the address again from where it comes from: a digit of it is wrong, or the case of one",
        look_at_offer},
    // RoutePublished
    entry{because::drained.name, "It was stopped and is taken down. To sell it again", resume},
    entry{
        because::foreign_route.name,
        "Have the rule that the message names deleted or led elsewhere; this offer stays published meanwhile",
        "kubectl get httproutes -A"},
    entry{
        because::gate_not_proved.name,
        "Ask the offer yourself, and tell the operator what answers there in place of the gate",
        look_at_gate},
    entry{
        because::gate_open.name,
        "Find what else answers on this path without the gate and remove it; the gate is then tried again "
        "by itself, within 5 to 60 minutes, or at once when the offer's spec changes",
        look_at_children},
    entry{
        because::host_not_allowed.name,
        "Leave --hostname out, or have the operator add the entry of the message to the list hosts",
        what_operator_set},
    entry{
        because::no_gateway.name,
        "Tell the operator: the controller was given no Gateway",
        what_operator_set},
    entry{because::not_accepted.name, "See what the Gateway says about the route", look_at_http_route},
    entry{
        because::path_conflict.name,
        "Write another --path or --hostname, or wait until the earlier offer is gone",
        look_at_offers},
    entry{because::proving_gate.name, "Wait: whether the gate refuses unpaid requests is being tried"},
    entry{because::published.name, "Nothing: the route is published"},
    entry{because::reserved_path.name, "Write another --path, such as /services/{name}"},
    entry{
        because::too_many_offers.name,
        "Delete an older offer of the namespace, or have the operator raise the limit",
        "portitor sell list -n {ns}"},
    entry{
        because::unpaid_route.name,
        "Delete the rule that leads around the gate, or lead it elsewhere",
        "kubectl get httproutes -A"},
    entry{
        because::waiting_for_gateway.name,
        "Wait some seconds; if it lasts, the operator sees to it that the Gateway's controller runs",
        look_at_http_route},
    // PaymentGateReady and RoutePublished
    entry{
        because::apply_failed.name,
        "See what the API server said; the controller tries again by itself",
        look_at_events},
    entry{
        because::disputed.name,
        "Find who else writes the object that the message names, and stop it",
        look_at_children},
    entry{
        because::flapping.name,
        "Find who keeps changing or deleting the object that the message names",
        look_at_events},
    entry{
        because::middleware_missing.name,
        "Find who deletes the Middleware; it is made again by itself",
        look_at_events},
    entry{
        because::name_clash.name,
        "Give the Service or the offer another name, or have the operator see who else has this one",
        "kubectl get httproutes -A"},
    entry{
        because::unfit_name.name,
        "Give the offer a name, in a namespace, without points and without two dashes side by side",
        look_at_offer},
    entry{
        because::name_taken.name,
        "Delete the object that has the name, or give the offer another name",
        look_at_children},
    entry{because::withheld.name, "Look at the condition that prevents the sale; this one follows it"},
    // Draining
    entry{because::draining.name, "It is sold until then. To keep it", resume},
    // Registered
    entry{because::confirmed.name, "Nothing: it is registered"},
    entry{
        because::disabled.name,
        "Nothing, unless it is to be found as an agent",
        "portitor sell register {name} -n {ns}"},
    entry{
        because::failed.name,
        "Tell the operator; it is tried again by itself, and the offer is sold all the same",
        look_at_registration},
    entry{because::no_public_url.name, "Tell the operator: the controller needs its --public-url"},
    entry{
        because::off_chain_only.name,
        "Nothing is on chain, and it is sold all the same; the operator can configure a chain with "
        "a registry",
        look_at_registration},
    entry{
        because::pending.name,
        "Wait; if it lasts, the operator sees to it that the registrar runs",
        look_at_registration},
    entry{
        because::retirement_failed.name,
        "Tell the operator: the agent is still active on chain",
        look_at_registration},
    entry{because::retiring.name, "Wait: the registration is being retired", look_at_registration},
    entry{because::submitted.name, "Wait for the confirmations of the transaction", look_at_registration},
    entry{
        because::unknown_chain.name,
        "Leave the chain out of the registration, or name one of the operator's",
        what_operator_set},
    entry{because::waiting_for_route.name, "Wait: it is registered once it is sold"},
    // Registered, as the registrar says
    entry{
        because::fees_too_high.name,
        "Wait: the chain's fees are above the operator's maxFeePerGas; the offer is sold all the same",
        look_at_registration},
    entry{
        because::ignored.name,
        "Nothing has to be done: the fields are kept, and the offer is sold without them"},
    entry{
        because::not_sold.name,
        "Take the fields out that the message names, or sell what they mean as an offer of its own",
        look_at_offer},
    entry{
        because::foreign_schema.name,
        "Tell the operator: the cluster's CRD of RegistrationRequest is not the one of this release",
        "kubectl get crd registrationrequests.obol.org -o yaml"},
    entry{
        because::identity_fixed.name,
        "An offer keeps the agent that it has: write that one, or delete the offer and make it again",
        look_at_registration},
    entry{
        because::identity_not_allowed.name,
        "Have the operator add the agent for this namespace to \"identities\", or leave agentId out",
        what_operator_set},
    entry{
        because::identity_taken.name,
        "Leave agentId out, or take it from the older offer that has the agent",
        "kubectl get registrationrequests -A"},
    entry{
        because::key_not_allowed.name,
        "Have the operator add the Secret for this namespace to \"signers\", or leave privateKeySecret out",
        what_operator_set},
    entry{
        because::limit_reached.name,
        "Wait until the message's time; the operator can raise the chain's daily limits",
        look_at_registration},
    entry{
        because::low_balance.name,
        "Tell the operator: the registrar's account needs funds; it goes on by itself then",
        look_at_registration},
    entry{
        because::no_chain.name,
        "Have the operator add the chain with its registry to \"chains\"; it is sold all the same",
        what_operator_set},
    entry{
        because::no_key.name,
        "Have the operator give the registrar a key; it is sold all the same",
        what_operator_set},
    entry{
        because::no_node.name,
        "Have the operator give the chain an rpcURL; it is sold all the same",
        what_operator_set},
    entry{
        because::no_registry.name,
        "Tell the operator: there is no registry of agents at the address in \"chains\"",
        what_operator_set},
    entry{
        because::node_unreachable.name,
        "Wait; if it lasts, the operator sees to the chain's rpcURL. It is sold all the same",
        look_at_registration},
    entry{
        because::nonce_taken.name,
        "Tell the operator: another program sends from the registrar's account; it is tried again by itself",
        look_at_registration},
    entry{
        because::not_owner.name,
        "Name an agent that the signing account owns, or leave agentId out",
        look_at_registration},
    entry{
        because::too_large.name,
        "Shorten what the message names: what is written on chain has a size that it may have",
        look_at_offer},
    entry{
        because::refused.name,
        "Tell the operator: the chain's node refuses the transaction; it is sold all the same",
        look_at_registration},
    entry{
        because::registry_not_allowed.name,
        "Tell the operator: the registry is not the one that \"chains\" has for this chain",
        what_operator_set},
    entry{
        because::reverted.name,
        "Tell the operator: the registry refuses the transaction; the message says why",
        look_at_registration},
    entry{because::unowned.name, "Tell the operator: no offer owns the registration", look_at_registration},
    entry{
        because::waiting_for_turn.name,
        "Wait: other registrations of the same account go first",
        look_at_registration},
    entry{
        because::wrong_chain.name,
        "Tell the operator: the node behind rpcURL is of another chain",
        what_operator_set},
    // Ready, and any
    entry{because::deleting.name, "Wait; the message says what is still there", look_at_events},
    entry{
        because::internal_error.name,
        "Report it with the controller's log: this is a defect of Portitor",
        look_at_events},
    entry{because::invalid_spec.name, "Correct the field that the message names", look_at_offer},
    entry{
        because::not_selected.name,
        "Give the offer the labels that the operator asks for, if it is to be sold",
        "kubectl get serviceoffer {name} -n {ns} --show-labels"},
    entry{because::ready.name, "Nothing: it is sold"},
};

}  // namespace portitor::cli::sell::hints
