#pragma once

#include <portitor/kube/object.hpp>

#include <string_view>

namespace portitor::api {

inline constexpr kube::resource service_offer_resource{
    "obol.org", "v1alpha1", "serviceoffers", "ServiceOffer"};
inline constexpr kube::resource payment_route_resource{
    "obol.org", "v1alpha1", "paymentroutes", "PaymentRoute"};
inline constexpr kube::resource registration_request_resource{
    "obol.org", "v1alpha1", "registrationrequests", "RegistrationRequest"};
inline constexpr kube::resource http_route_resource{
    "gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute"};
inline constexpr kube::resource reference_grant_resource{
    "gateway.networking.k8s.io", "v1beta1", "referencegrants", "ReferenceGrant"};
inline constexpr kube::resource middleware_resource{"traefik.io", "v1alpha1", "middlewares", "Middleware"};
inline constexpr kube::resource endpoint_slice_resource{
    "discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"};
inline constexpr kube::resource service_resource{"", "v1", "services", "Service"};
inline constexpr kube::resource namespace_resource{"", "v1", "namespaces", "Namespace"};
inline constexpr kube::resource config_map_resource{"", "v1", "configmaps", "ConfigMap"};
inline constexpr kube::resource event_resource{"", "v1", "events", "Event"};
inline constexpr kube::resource lease_resource{"coordination.k8s.io", "v1", "leases", "Lease"};

/// Stands on every ServiceOffer that Portitor acts on, and on every RegistrationRequest that it made.
inline constexpr std::string_view finalizer = "obol.org/portitor";

/// Stands on every ServiceOffer that the predecessor's controller acts on.
inline constexpr std::string_view predecessors_finalizer = "monetize.obol.org/finalizer";

/// Field managers of server-side apply: one a role, so that no two processes fight over ownership.
inline constexpr std::string_view controller_field_manager = "portitor-controller";
inline constexpr std::string_view verifier_field_manager = "portitor-verifier";
inline constexpr std::string_view registrar_field_manager = "portitor-registrar";

/// Labels of every child. The offer's label holds label_value(offer name); the name itself is in the owner
/// reference.
inline constexpr std::string_view managed_by_label = "app.kubernetes.io/managed-by";
inline constexpr std::string_view managed_by_value = "portitor";
inline constexpr std::string_view offer_label = "obol.org/serviceoffer";

/// A digest of what the controller last wanted a child to be, so that a field it no longer wants is noticed.
inline constexpr std::string_view desired_hash_annotation = "obol.org/desired-hash";

}  // namespace portitor::api
