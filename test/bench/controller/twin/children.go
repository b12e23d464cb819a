package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/utils/ptr"
	gateway "sigs.k8s.io/gateway-api/apis/v1"

	"portitor.dev/test/bench/controller/api"
)

const (
	managedByLabel = "app.kubernetes.io/managed-by"
	offerLabel     = "obol.org/serviceoffer"
	hashAnnotation = "obol.org/desired-hash"
)

func middlewareName(offer string) string   { return "x402-" + offer }
func httpRouteName(offer string) string    { return "so-" + offer }
func paymentRouteName(offer string) string { return offer + "-payment" }

func desiredMiddleware(offer *api.ServiceOffer, set *settings) *api.MiddlewareSpec {
	headers := []string{
		"X-Payer", "X-Payment-Response", "Payment-Response", "X-Portitor-Route", "X-Payment",
		"Payment-Signature", "X-Payment-Status", "X-Payment-Tx", "X-Payment-Payer", "X-Verified-Wallet",
	}
	if offer.Spec.Upstream.Credential != "" {
		headers = append(headers, "Authorization")
	}
	return &api.MiddlewareSpec{ForwardAuth: &api.ForwardAuth{
		Address:             fmt.Sprintf("%s/verify/%s/%s", set.verifierURL, offer.Namespace, offer.Name),
		AuthResponseHeaders: headers,
		MaxResponseBodySize: 65536,
	}}
}

func desiredHTTPRoute(offer *api.ServiceOffer, set *settings) *gateway.HTTPRouteSpec {
	out := &gateway.HTTPRouteSpec{
		CommonRouteSpec: gateway.CommonRouteSpec{ParentRefs: []gateway.ParentReference{{
			Group:     ptr.To(gateway.Group(gateway.GroupName)),
			Kind:      ptr.To(gateway.Kind("Gateway")),
			Namespace: ptr.To(gateway.Namespace(set.gatewayNamespace)),
			Name:      gateway.ObjectName(set.gatewayName),
		}}},
		Rules: []gateway.HTTPRouteRule{{
			Matches: []gateway.HTTPRouteMatch{{Path: &gateway.HTTPPathMatch{
				Type: ptr.To(gateway.PathMatchPathPrefix), Value: ptr.To(pathOf(offer)),
			}}},
			Filters: []gateway.HTTPRouteFilter{
				{
					Type: gateway.HTTPRouteFilterExtensionRef,
					ExtensionRef: &gateway.LocalObjectReference{
						Group: gateway.Group(api.Traefik.Group),
						Kind:  "Middleware",
						Name:  gateway.ObjectName(middlewareName(offer.Name)),
					},
				},
				{
					Type: gateway.HTTPRouteFilterURLRewrite,
					URLRewrite: &gateway.HTTPURLRewriteFilter{Path: &gateway.HTTPPathModifier{
						Type: gateway.PrefixMatchHTTPPathModifier, ReplacePrefixMatch: ptr.To("/"),
					}},
				},
			},
			BackendRefs: []gateway.HTTPBackendRef{{BackendRef: gateway.BackendRef{
				BackendObjectReference: gateway.BackendObjectReference{
					Group: ptr.To(gateway.Group("")),
					Kind:  ptr.To(gateway.Kind("Service")),
					Name:  gateway.ObjectName(offer.Spec.Upstream.Service),
					Port:  ptr.To(gateway.PortNumber(offer.Spec.Upstream.Port)),
				},
				Weight: ptr.To(int32(1)),
			}}},
		}},
	}
	if offer.Spec.Hostname != "" {
		out.Hostnames = []gateway.Hostname{gateway.Hostname(offer.Spec.Hostname)}
	}
	return out
}

// applied is a child as it is wanted.
func applied[Spec any](offer *api.ServiceOffer, kind schema.GroupVersionKind, name string, spec *Spec) *api.Applied[Spec] {
	// The offer read from the cache has no TypeMeta.
	owner := metav1ac.OwnerReference().
		WithAPIVersion(api.Obol.String()).
		WithKind("ServiceOffer").
		WithName(offer.Name).
		WithUID(offer.UID).
		WithController(true).
		WithBlockOwnerDeletion(true)
	out := &api.Applied[Spec]{
		TypeMetaApplyConfiguration: *metav1ac.TypeMeta().WithAPIVersion(kind.GroupVersion().String()).WithKind(kind.Kind),
		ObjectMetaApplyConfiguration: metav1ac.ObjectMeta().
			WithName(name).
			WithNamespace(offer.Namespace).
			WithLabels(map[string]string{managedByLabel: "portitor", offerLabel: offer.Name}).
			WithOwnerReferences(owner),
		Spec: spec,
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err)
	}
	hash := sha256.Sum256(text)
	out.WithAnnotations(map[string]string{hashAnnotation: hex.EncodeToString(hash[:8])})
	return out
}

// holds tells whether the live child has the wanted metadata.
func holds(live metav1.Object, wanted *metav1ac.ObjectMetaApplyConfiguration) bool {
	for key, value := range wanted.Labels {
		if live.GetLabels()[key] != value {
			return false
		}
	}
	for key, value := range wanted.Annotations {
		if live.GetAnnotations()[key] != value {
			return false
		}
	}
	owner := metav1.GetControllerOfNoCopy(live)
	return owner != nil && owner.UID == *wanted.OwnerReferences[0].UID
}
