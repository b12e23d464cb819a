package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gateway "sigs.k8s.io/gateway-api/apis/v1"

	"portitor.dev/test/bench/controller/api"
)

// observed is what the conditions are made of.
type observed struct {
	middleware   *api.Middleware
	httpRoute    *gateway.HTTPRoute
	paymentRoute *api.PaymentRoute
	probe        finding
	blocked      *obstacle
	changed      bool // a child was just written
}

func condition(kind string, status metav1.ConditionStatus, reason, format string, values ...any) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: fmt.Sprintf(format, values...)}
}

func healthCondition(offer *api.ServiceOffer, seen *observed) metav1.Condition {
	url := upstreamOrigin(offer) + offer.Spec.Upstream.HealthPath
	switch {
	case seen.blocked != nil && seen.blocked.condition == upstreamHealthy:
		return condition(upstreamHealthy, metav1.ConditionFalse, seen.blocked.reason, "%s", seen.blocked.message)
	case !seen.probe.known:
		last := meta.FindStatusCondition(offer.Status.Conditions, upstreamHealthy)
		if last != nil && last.ObservedGeneration == offer.Generation && last.Status != metav1.ConditionUnknown {
			return *last
		}
		return condition(upstreamHealthy, metav1.ConditionUnknown, "Probing", "%s is being probed for the first time", url)
	case seen.probe.failure != "":
		return condition(upstreamHealthy, metav1.ConditionFalse, "Unhealthy", "%s: %s; see that Service %s has ready "+
			"endpoints that answer there with 2xx, or correct spec.upstream. It is probed every 10 s",
			url, seen.probe.failure, offer.Spec.Upstream.Service)
	}
	return condition(upstreamHealthy, metav1.ConditionTrue, "Healthy", "%s answers", url)
}

func blockedCondition(kind string, why *obstacle) metav1.Condition {
	if why.condition == kind {
		return condition(kind, metav1.ConditionFalse, why.reason, "%s", why.message)
	}
	return condition(kind, metav1.ConditionFalse, "Withheld", "the offer is not sold: see condition %s (%s)",
		why.condition, why.reason)
}

func gateCondition(seen *observed) metav1.Condition {
	if seen.blocked != nil {
		return blockedCondition(paymentGateReady, seen.blocked)
	}
	route := seen.paymentRoute
	if route == nil || !route.Status.Admitted || route.Status.LastAdmittedGeneration != route.Generation {
		return condition(paymentGateReady, metav1.ConditionUnknown, "WaitingForAdmission",
			"no verifier has taken up the present terms yet; if this lasts, see that the verifier runs")
	}
	return condition(paymentGateReady, metav1.ConditionTrue, "Admitted", "the verifier sells this offer on its present terms")
}

func routeCondition(offer *api.ServiceOffer, seen *observed, set *settings) metav1.Condition {
	name := set.gatewayNamespace + "/" + set.gatewayName
	if seen.blocked != nil {
		return blockedCondition(routePublished, seen.blocked)
	}
	route := seen.httpRoute
	if route == nil {
		return condition(routePublished, metav1.ConditionUnknown, "WaitingForGateway", "the HTTPRoute is being written")
	}
	for _, each := range route.Status.Parents {
		if string(each.ParentRef.Name) != set.gatewayName {
			continue
		}
		for _, needed := range []gateway.RouteConditionType{gateway.RouteConditionAccepted, gateway.RouteConditionResolvedRefs} {
			said := meta.FindStatusCondition(each.Conditions, string(needed))
			if said == nil || said.ObservedGeneration != route.Generation {
				return condition(routePublished, metav1.ConditionUnknown, "WaitingForGateway",
					"Gateway %s has not judged the present route yet; if this lasts, see that its controller runs", name)
			}
			if said.Status != metav1.ConditionTrue {
				return condition(routePublished, metav1.ConditionFalse, said.Reason, "Gateway %s: %s is %s: %s",
					name, needed, said.Status, said.Message)
			}
		}
		return condition(routePublished, metav1.ConditionTrue, "Published", "Gateway %s publishes the route", name)
	}
	return condition(routePublished, metav1.ConditionUnknown, "WaitingForGateway",
		"Gateway %s has not answered; if this lasts, see that it exists, that its controller runs, and that its "+
			"listener allows routes from namespace %s", name, offer.Namespace)
}

// judge writes the status into the offer.
func judge(offer *api.ServiceOffer, seen *observed, set *settings) {
	list := []metav1.Condition{
		healthCondition(offer, seen),
		gateCondition(seen),
		routeCondition(offer, seen, set),
	}
	last := condition(ready, metav1.ConditionTrue, "Ready", "the offer is published and sold")
	phase := "Ready"
	for _, each := range list {
		if each.Status != metav1.ConditionTrue {
			last = condition(ready, metav1.ConditionFalse, each.Reason, "%s: %s", each.Type, each.Message)
			phase = "Pending"
			break
		}
	}
	list = append(list, last,
		condition(registered, metav1.ConditionTrue, "Disabled", "registration is not asked for"))
	endpoint := endpointOf(offer, set)
	if seen.blocked != nil {
		phase, endpoint = "Blocked", ""
	}
	for _, each := range list {
		each.ObservedGeneration = offer.Generation
		meta.SetStatusCondition(&offer.Status.Conditions, each)
	}
	offer.Status.Phase, offer.Status.Endpoint = phase, endpoint
	offer.Status.ObservedGeneration = offer.Generation
}
