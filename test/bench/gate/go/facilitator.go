package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

type facilitatorRequest struct {
	X402Version         int          `json:"x402Version"`
	PaymentPayload      *payment     `json:"paymentPayload"`
	PaymentRequirements *requirement `json:"paymentRequirements"`
}

type verifyAnswer struct {
	IsValid       bool   `json:"isValid"`
	InvalidReason string `json:"invalidReason,omitempty"`
	Payer         string `json:"payer,omitempty"`
}

type settleAnswer struct {
	Success     bool   `json:"success"`
	ErrorReason string `json:"errorReason,omitempty"`
	Transaction string `json:"transaction"`
	Network     string `json:"network"`
	Payer       string `json:"payer,omitempty"`
}

type facilitator struct {
	transport http.RoundTripper // nil: http.DefaultTransport, which keeps two idle connections a host
}

func newFacilitator(client string) *facilitator {
	if client != "tuned" {
		return &facilitator{}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = 0
	transport.MaxIdleConnsPerHost = 1000
	return &facilitator{transport: transport}
}

func (f *facilitator) verify(url string, p *payment, wanted *requirement) (out verifyAnswer, err error) {
	err = f.post(url+"/verify", 5*time.Second, p, wanted, &out)
	return out, err
}

func (f *facilitator) settle(url string, p *payment, wanted *requirement) (out settleAnswer, err error) {
	err = f.post(url+"/settle", 60*time.Second, p, wanted, &out)
	return out, err
}

func (f *facilitator) post(url string, limit time.Duration, p *payment, wanted *requirement, out any) error {
	body, err := json.Marshal(facilitatorRequest{X402Version: 2, PaymentPayload: p, PaymentRequirements: wanted})
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: limit, Transport: f.transport}
	answer, err := client.Post(url, mimeType, bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d", url, answer.StatusCode)
	}
	return json.NewDecoder(answer.Body).Decode(out)
}
