package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

type gate struct {
	routes         []route
	facilitator    *facilitator
	settle         bool
	checkSignature bool
}

func (g *gate) verify(w http.ResponseWriter, q *http.Request) {
	uri := q.Header.Get("X-Forwarded-Uri")
	if uri == "" {
		http.Error(w, "X-Forwarded-Uri is missing", http.StatusForbidden)
		return
	}
	path, _, _ := strings.Cut(uri, "?")
	r := matchRoute(g.routes, path)
	if r == nil {
		http.Error(w, "no such route", http.StatusForbidden)
		return
	}
	url := q.Header.Get("X-Forwarded-Proto") + "://" + q.Header.Get("X-Forwarded-Host") + path
	text := q.Header.Get("Payment-Signature")
	if text == "" {
		askForPayment(w, r, url, "payment required")
		return
	}
	p, err := decodePayment(text)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	wanted := r.requirement()
	if reason := p.refusal(&wanted); reason != "" {
		askForPayment(w, r, url, reason)
		return
	}
	if g.checkSignature && !p.isSigned(r) {
		askForPayment(w, r, url, "invalid_exact_evm_payload_signature")
		return
	}
	g.sell(w, r, url, p, &wanted)
}

func (g *gate) sell(w http.ResponseWriter, r *route, url string, p *payment, wanted *requirement) {
	verified, err := g.facilitator.verify(r.facilitator, p, wanted)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	if !verified.IsValid {
		askForPayment(w, r, url, verified.InvalidReason)
		return
	}
	receipt := ""
	if g.settle {
		settled, err := g.facilitator.settle(r.facilitator, p, wanted)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		if !settled.Success {
			askForPayment(w, r, url, settled.ErrorReason)
			return
		}
		text, err := json.Marshal(settled)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		receipt = base64.StdEncoding.EncodeToString(text)
	}
	header := w.Header()
	header.Set("X-Payer", verified.Payer)
	header.Set("X-Payment-Payer", verified.Payer)
	header.Set("X-Payment-Status", "settled")
	header.Set("X-Payment-Tx", "")
	header.Set("X-Payment-Response", receipt)
	header.Set("Payment-Response", receipt)
	header.Set("X-Verified-Wallet", "")
	header.Set("X-Portitor-Route", r.key)
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}
