// Package api has the custom resources that the twin works on, as a kubebuilder project would declare them.
package api

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Obol is where ServiceOffer and PaymentRoute are.
var Obol = schema.GroupVersion{Group: "obol.org", Version: "v1alpha1"}

// ServiceOffer is what a seller writes.
type ServiceOffer struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ServiceOfferSpec   `json:"spec"`
	Status ServiceOfferStatus `json:"status,omitempty"`
}

// ServiceOfferList is a list of them.
type ServiceOfferList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ServiceOffer `json:"items"`
}

type ServiceOfferSpec struct {
	Type             string           `json:"type,omitempty"`
	Model            *Model           `json:"model,omitempty"`
	Upstream         Upstream         `json:"upstream"`
	Payment          Payment          `json:"payment"`
	Hostname         string           `json:"hostname,omitempty"`
	Path             string           `json:"path,omitempty"`
	Routes           []OfferRoute     `json:"routes,omitempty"`
	Registration     *Registration    `json:"registration,omitempty"`
	DrainAt          *metav1.Time     `json:"drainAt,omitempty"`
	DrainGracePeriod *metav1.Duration `json:"drainGracePeriod,omitempty"`
}

type Model struct {
	Name    string `json:"name"`
	Runtime string `json:"runtime,omitempty"`
}

type Upstream struct {
	Service    string `json:"service"`
	Namespace  string `json:"namespace,omitempty"`
	Port       int32  `json:"port,omitempty"`
	HealthPath string `json:"healthPath,omitempty"`
	Credential string `json:"credential,omitempty"`
}

type Payment struct {
	Scheme            string `json:"scheme,omitempty"`
	Network           string `json:"network"`
	PayTo             string `json:"payTo"`
	MaxTimeoutSeconds int64  `json:"maxTimeoutSeconds,omitempty"`
	Price             Price  `json:"price"`
	Asset             *Asset `json:"asset,omitempty"`
	Facilitator       string `json:"facilitator,omitempty"`
	Settlement        string `json:"settlement,omitempty"`
}

type Price struct {
	PerRequest string `json:"perRequest,omitempty"`
	PerMTok    string `json:"perMTok,omitempty"`
	PerHour    string `json:"perHour,omitempty"`
}

type Asset struct {
	Address        string `json:"address,omitempty"`
	Symbol         string `json:"symbol,omitempty"`
	Decimals       *int32 `json:"decimals,omitempty"`
	TransferMethod string `json:"transferMethod,omitempty"`
}

type OfferRoute struct {
	Path  string `json:"path"`
	Gate  string `json:"gate,omitempty"`
	Price *Price `json:"price,omitempty"`
}

type Registration struct {
	Enabled        bool              `json:"enabled,omitempty"`
	Chain          string            `json:"chain,omitempty"`
	Name           string            `json:"name,omitempty"`
	Description    string            `json:"description,omitempty"`
	Image          string            `json:"image,omitempty"`
	SupportedTrust []string          `json:"supportedTrust,omitempty"`
	Skills         []string          `json:"skills,omitempty"`
	Domains        []string          `json:"domains,omitempty"`
	Metadata       map[string]string `json:"metadata,omitempty"`
}

type ServiceOfferStatus struct {
	Phase              string             `json:"phase,omitempty"`
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Endpoint           string             `json:"endpoint,omitempty"`
	AgentID            string             `json:"agentId,omitempty"`
	RegistrationTxHash string             `json:"registrationTxHash,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}
