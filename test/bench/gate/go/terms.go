package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
)

type extra struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	PaymentFlow string `json:"paymentFlow"`
}

type requirement struct {
	Scheme            string `json:"scheme"`
	Network           string `json:"network"`
	Amount            string `json:"amount"`
	Asset             string `json:"asset"`
	PayTo             string `json:"payTo"`
	MaxTimeoutSeconds int    `json:"maxTimeoutSeconds"`
	Extra             extra  `json:"extra"`
}

type requirementV1 struct {
	Scheme            string `json:"scheme"`
	Network           string `json:"network"`
	MaxAmountRequired string `json:"maxAmountRequired"`
	Resource          string `json:"resource"`
	Description       string `json:"description"`
	MimeType          string `json:"mimeType"`
	Asset             string `json:"asset"`
	PayTo             string `json:"payTo"`
	MaxTimeoutSeconds int    `json:"maxTimeoutSeconds"`
	Extra             extra  `json:"extra"`
}

type resource struct {
	URL         string `json:"url"`
	Description string `json:"description"`
	MimeType    string `json:"mimeType"`
}

type paymentRequired struct {
	X402Version int           `json:"x402Version"`
	Error       string        `json:"error"`
	Resource    resource      `json:"resource"`
	Accepts     []requirement `json:"accepts"`
}

type paymentRequiredV1 struct {
	X402Version int             `json:"x402Version"`
	Error       string          `json:"error"`
	Accepts     []requirementV1 `json:"accepts"`
}

const mimeType = "application/json"

func (r *route) requirement() requirement {
	return requirement{
		Scheme: "exact", Network: r.network, Amount: r.price, Asset: r.asset, PayTo: r.payTo,
		MaxTimeoutSeconds: r.maxTimeout, Extra: r.extra,
	}
}

// askForPayment answers 402 with the terms of both versions of x402: v2 in the header, v1 in the body.
func askForPayment(w http.ResponseWriter, r *route, url, reason string) {
	v2, err := json.Marshal(paymentRequired{
		X402Version: 2,
		Error:       reason,
		Resource:    resource{URL: url, Description: r.description, MimeType: mimeType},
		Accepts:     []requirement{r.requirement()},
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	v1, err := json.Marshal(paymentRequiredV1{
		X402Version: 1,
		Error:       reason,
		Accepts: []requirementV1{{
			Scheme: "exact", Network: r.v1Network, MaxAmountRequired: r.price, Resource: url,
			Description: r.description, MimeType: mimeType, Asset: r.asset, PayTo: r.payTo,
			MaxTimeoutSeconds: r.maxTimeout, Extra: r.extra,
		}},
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", mimeType)
	header.Set("PAYMENT-REQUIRED", base64.StdEncoding.EncodeToString(v2))
	header.Set("X-Portitor-Route", r.key)
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusPaymentRequired)
	w.Write(v1)
}
