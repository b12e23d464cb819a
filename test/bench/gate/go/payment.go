package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"time"
)

type authorization struct {
	From        string `json:"from"`
	To          string `json:"to"`
	Value       string `json:"value"`
	ValidAfter  string `json:"validAfter"`
	ValidBefore string `json:"validBefore"`
	Nonce       string `json:"nonce"`
}

type payload struct {
	Signature     string        `json:"signature"`
	Authorization authorization `json:"authorization"`
}

type payment struct {
	X402Version int         `json:"x402Version"`
	Resource    resource    `json:"resource"`
	Accepted    requirement `json:"accepted"`
	Payload     payload     `json:"payload"`
}

func decodePayment(text string) (*payment, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	p := &payment{}
	if err := json.Unmarshal(raw, p); err != nil {
		return nil, err
	}
	if p.X402Version != 2 {
		return nil, errors.New("x402Version must be 2")
	}
	return p, nil
}

// refusal says why the payment is not one for these terms; empty when it is.
func (p *payment) refusal(wanted *requirement) string {
	a := &p.Payload.Authorization
	accepted := &p.Accepted
	if accepted.Scheme != wanted.Scheme || accepted.Network != wanted.Network ||
		!sameNumber(accepted.Amount, wanted.Amount) || !strings.EqualFold(accepted.Asset, wanted.Asset) ||
		!strings.EqualFold(accepted.PayTo, wanted.PayTo) || accepted.Extra != wanted.Extra {
		return "no_matching_requirement"
	}
	if !strings.EqualFold(a.To, wanted.PayTo) || !sameNumber(a.Value, wanted.Amount) {
		return "payment_invalid"
	}
	now := big.NewInt(time.Now().Unix())
	after, before := number(a.ValidAfter), number(a.ValidBefore)
	if after == nil || before == nil || after.Cmp(now) > 0 || before.Cmp(now) <= 0 {
		return "payment_expired"
	}
	return ""
}

func number(text string) *big.Int {
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return nil
	}
	return n
}

func sameNumber(left, right string) bool {
	a, b := number(left), number(right)
	return a != nil && b != nil && a.Cmp(b) == 0
}
