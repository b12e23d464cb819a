package api

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Traefik is where Middleware is.
var Traefik = schema.GroupVersion{Group: "traefik.io", Version: "v1alpha1"}

// PaymentRoute is what the verifier sells. Its spec has every field written out.
type PaymentRoute struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   PaymentRouteSpec   `json:"spec"`
	Status PaymentRouteStatus `json:"status,omitempty"`
}

type PaymentRouteList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PaymentRoute `json:"items"`
}

type PaymentRouteSpec struct {
	Pattern                string        `json:"pattern"`
	Price                  string        `json:"price"`
	Asset                  string        `json:"asset"`
	PayTo                  string        `json:"payTo"`
	Network                string        `json:"network"`
	FacilitatorURL         string        `json:"facilitatorURL"`
	PriceModel             string        `json:"priceModel"`
	PerMTok                string        `json:"perMTok"`
	ApproxTokensPerRequest int64         `json:"approxTokensPerRequest"`
	Description            string        `json:"description"`
	MaxTimeoutSeconds      int64         `json:"maxTimeoutSeconds"`
	Settlement             string        `json:"settlement"`
	PublicURL              string        `json:"publicURL"`
	Credential             string        `json:"credential"`
	Suspended              bool          `json:"suspended"`
	Rules                  []PaymentRule `json:"rules"`
}

type PaymentRule struct {
	Pattern    string `json:"pattern"`
	Gate       string `json:"gate"`
	Price      string `json:"price,omitempty"`
	PriceModel string `json:"priceModel,omitempty"`
	PerMTok    string `json:"perMTok,omitempty"`
}

type PaymentRouteStatus struct {
	Admitted               bool               `json:"admitted,omitempty"`
	LastAdmittedGeneration int64              `json:"lastAdmittedGeneration,omitempty"`
	Conditions             []metav1.Condition `json:"conditions,omitempty"`
}

// Middleware has only what the controller uses of Traefik's kind.
type Middleware struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec MiddlewareSpec `json:"spec"`
}

type MiddlewareList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Middleware `json:"items"`
}

type MiddlewareSpec struct {
	ForwardAuth *ForwardAuth `json:"forwardAuth,omitempty"`
}

type ForwardAuth struct {
	Address             string   `json:"address"`
	TrustForwardHeader  bool     `json:"trustForwardHeader"`
	AuthResponseHeaders []string `json:"authResponseHeaders,omitempty"`
	MaxResponseBodySize int64    `json:"maxResponseBodySize"`
}
