package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// What a generated client for charts/portitor/files/crds/paymentroutes.obol.org.yaml would have.

var groupVersion = schema.GroupVersion{Group: "obol.org", Version: "v1alpha1"}

const resource = "paymentroutes"

// PaymentRoute is the terms on which the verifier sells one ServiceOffer.
type PaymentRoute struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   PaymentRouteSpec   `json:"spec"`
	Status PaymentRouteStatus `json:"status,omitempty"`
}

// PaymentRouteSpec is written by the controller.
type PaymentRouteSpec struct {
	Pattern                string        `json:"pattern"`
	Price                  string        `json:"price"`
	Asset                  string        `json:"asset"`
	PayTo                  string        `json:"payTo"`
	Network                string        `json:"network"`
	FacilitatorURL         string        `json:"facilitatorURL"`
	PriceModel             string        `json:"priceModel,omitempty"`
	PerMTok                string        `json:"perMTok,omitempty"`
	ApproxTokensPerRequest int64         `json:"approxTokensPerRequest,omitempty"`
	Description            string        `json:"description,omitempty"`
	MaxTimeoutSeconds      int64         `json:"maxTimeoutSeconds,omitempty"`
	Settlement             string        `json:"settlement,omitempty"`
	PublicURL              string        `json:"publicURL,omitempty"`
	Credential             string        `json:"credential,omitempty"`
	Suspended              bool          `json:"suspended,omitempty"`
	Rules                  []PaymentRule `json:"rules,omitempty"`
}

// PaymentRule has the terms for paths below the offer's.
type PaymentRule struct {
	Pattern    string `json:"pattern"`
	Gate       string `json:"gate"`
	Price      string `json:"price,omitempty"`
	PriceModel string `json:"priceModel,omitempty"`
	PerMTok    string `json:"perMTok,omitempty"`
}

// PaymentRouteStatus is written by the verifier.
type PaymentRouteStatus struct {
	Admitted               bool               `json:"admitted,omitempty"`
	LastAdmittedGeneration int64              `json:"lastAdmittedGeneration,omitempty"`
	Conditions             []metav1.Condition `json:"conditions,omitempty"`
}

// PaymentRouteList is one page of PaymentRoutes.
type PaymentRouteList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []PaymentRoute `json:"items"`
}

// DeepCopyInto copies all that in holds.
func (in *PaymentRoute) DeepCopyInto(out *PaymentRoute) {
	*out = *in
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec.Rules = append([]PaymentRule(nil), in.Spec.Rules...)
	out.Status.Conditions = make([]metav1.Condition, len(in.Status.Conditions))
	for i := range in.Status.Conditions {
		in.Status.Conditions[i].DeepCopyInto(&out.Status.Conditions[i])
	}
}

// DeepCopyObject makes it a runtime.Object.
func (in *PaymentRoute) DeepCopyObject() runtime.Object {
	out := new(PaymentRoute)
	in.DeepCopyInto(out)
	return out
}

// DeepCopyObject makes it a runtime.Object.
func (in *PaymentRouteList) DeepCopyObject() runtime.Object {
	out := &PaymentRouteList{TypeMeta: in.TypeMeta, Items: make([]PaymentRoute, len(in.Items))}
	in.ListMeta.DeepCopyInto(&out.ListMeta)
	for i := range in.Items {
		in.Items[i].DeepCopyInto(&out.Items[i])
	}
	return out
}

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(groupVersion, &PaymentRoute{}, &PaymentRouteList{})
	metav1.AddToGroupVersion(scheme, groupVersion)
	return scheme
}
