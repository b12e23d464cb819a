package main

import (
	"fmt"
	"math/big"
	"strings"

	"portitor.dev/test/bench/controller/api"
)

// settings are the operator's.
type settings struct {
	gatewayNamespace, gatewayName string
	verifierURL, publicURL        string
	facilitators                  map[string]string
	defaultFacilitator            string
	networks                      map[string]network
	suspendAfter                  int
}

type network struct {
	caip2    string
	asset    string
	symbol   string
	decimals int
}

var knownNetworks = map[string]network{
	"base":         {"eip155:8453", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "USDC", 6},
	"base-sepolia": {"eip155:84532", "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "USDC", 6},
}

// obstacle is why an offer cannot be sold.
type obstacle struct {
	condition, reason, message string
}

const (
	upstreamHealthy  = "UpstreamHealthy"
	paymentGateReady = "PaymentGateReady"
	routePublished   = "RoutePublished"
	registered       = "Registered"
	ready            = "Ready"
)

func pathOf(offer *api.ServiceOffer) string {
	if offer.Spec.Path == "" {
		return "/services/" + offer.Name
	}
	if offer.Spec.Path == "/" {
		return "/"
	}
	return strings.TrimSuffix(offer.Spec.Path, "/")
}

func upstreamOrigin(offer *api.ServiceOffer) string {
	return fmt.Sprintf("http://%s.%s.svc:%d", offer.Spec.Upstream.Service, offer.Namespace, offer.Spec.Upstream.Port)
}

func endpointOf(offer *api.ServiceOffer, set *settings) string {
	if set.publicURL == "" || offer.Spec.Hostname == "" {
		return set.publicURL + pathOf(offer)
	}
	scheme, _, _ := strings.Cut(set.publicURL, "://")
	return scheme + "://" + offer.Spec.Hostname + pathOf(offer)
}

func descriptionOf(offer *api.ServiceOffer) string {
	if offer.Spec.Registration != nil && offer.Spec.Registration.Description != "" {
		return offer.Spec.Registration.Description
	}
	return "ServiceOffer " + offer.Name
}

// priceOf is exact: a price per request has no more decimals than the asset, a derived one rounds up.
func priceOf(price api.Price, decimals int) (atomic, model string, approx int64, err error) {
	written, by := price.PerRequest, big.NewRat(1, 1)
	model = "per-request"
	switch {
	case price.PerRequest != "":
	case price.PerMTok != "":
		written, by, model, approx = price.PerMTok, big.NewRat(1, 1000), "per-mtok", 1000
	case price.PerHour != "":
		written, by, model = price.PerHour, big.NewRat(5, 60), "per-hour"
	}
	amount, ok := new(big.Rat).SetString(written)
	if !ok {
		return "", "", 0, fmt.Errorf("%q is no decimal number", written)
	}
	scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil))
	amount.Mul(amount, scale)
	if !amount.IsInt() {
		return "", "", 0, fmt.Errorf("%q has more than %d decimals", written, decimals)
	}
	amount.Mul(amount, by)
	whole, rest := new(big.Int).QuoRem(amount.Num(), amount.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	if whole.Sign() <= 0 || whole.BitLen() > 256 {
		return "", "", 0, fmt.Errorf("%q is out of range", written)
	}
	return whole.String(), model, approx, nil
}

func termsOf(offer *api.ServiceOffer, set *settings) (*api.PaymentRouteSpec, *obstacle) {
	payment := &offer.Spec.Payment
	if payment.Settlement == "afterResponse" {
		return nil, &obstacle{paymentGateReady, "UnsupportedSettlement",
			"spec.payment.settlement: afterResponse is not available behind this gateway; write beforeResponse"}
	}
	on, ok := set.networks[payment.Network]
	if !ok {
		return nil, &obstacle{paymentGateReady, "UnknownNetwork",
			fmt.Sprintf("spec.payment.network: %q is not one of the operator's networks", payment.Network)}
	}
	if asset := payment.Asset; asset != nil && asset.Address != "" && !strings.EqualFold(asset.Address, on.asset) {
		return nil, &obstacle{paymentGateReady, "UnknownAsset",
			fmt.Sprintf("spec.payment.asset is not, as described, one of the operator's assets on %s", on.caip2)}
	}
	atomic, model, approx, err := priceOf(payment.Price, on.decimals)
	if err != nil {
		return nil, &obstacle{paymentGateReady, "InvalidPrice", "spec.payment.price: " + err.Error()}
	}
	facilitator := payment.Facilitator
	if facilitator == "" {
		facilitator = set.defaultFacilitator
	}
	url, ok := set.facilitators[facilitator]
	if !ok {
		return nil, &obstacle{paymentGateReady, "UnknownFacilitator",
			fmt.Sprintf("spec.payment.facilitator: %q is not on the operator's list", facilitator)}
	}
	path := pathOf(offer)
	out := &api.PaymentRouteSpec{
		Pattern:                strings.TrimSuffix(path, "/") + "/*",
		Price:                  atomic,
		Asset:                  on.asset,
		PayTo:                  payment.PayTo,
		Network:                on.caip2,
		FacilitatorURL:         url,
		PriceModel:             model,
		ApproxTokensPerRequest: approx,
		Description:            descriptionOf(offer),
		MaxTimeoutSeconds:      payment.MaxTimeoutSeconds,
		Settlement:             "beforeResponse",
		PublicURL:              endpointOf(offer, set),
		Credential:             offer.Spec.Upstream.Credential,
		Rules:                  []api.PaymentRule{},
	}
	if model == "per-mtok" {
		out.PerMTok = payment.Price.PerMTok
	}
	for _, each := range offer.Spec.Routes {
		rule := api.PaymentRule{Pattern: each.Path, Gate: each.Gate}
		if each.Gate != "free" {
			own := payment.Price
			if each.Price != nil {
				own = *each.Price
			}
			if rule.Price, rule.PriceModel, _, err = priceOf(own, on.decimals); err != nil {
				return nil, &obstacle{paymentGateReady, "InvalidPrice", "spec.routes: " + err.Error()}
			}
			if rule.PriceModel == "per-mtok" {
				rule.PerMTok = own.PerMTok
			}
		}
		out.Rules = append(out.Rules, rule)
	}
	return out, nil
}

func checkPlacement(offer *api.ServiceOffer, older string) *obstacle {
	if ns := offer.Spec.Upstream.Namespace; ns != "" && ns != offer.Namespace {
		return &obstacle{upstreamHealthy, "CrossNamespaceUpstream",
			fmt.Sprintf("spec.upstream.namespace: an offer in %s cannot sell a Service of %s", offer.Namespace, ns)}
	}
	path := pathOf(offer)
	for _, each := range []string{"/api", "/openapi.json", "/skill.md", "/rpc", "/.well-known"} {
		if path == each || strings.HasPrefix(path, each+"/") || path == "/services" {
			return &obstacle{routePublished, "ReservedPath",
				fmt.Sprintf("spec.path: %s is reserved for the gateway itself", path)}
		}
	}
	if older != "" {
		return &obstacle{routePublished, "PathConflict",
			fmt.Sprintf("spec.path: %s overlaps with the path of the older offer %s, which keeps it", path, older)}
	}
	return nil
}
