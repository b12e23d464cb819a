package api

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
)

// AddToScheme makes the kinds known.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(Obol, &ServiceOffer{}, &ServiceOfferList{}, &PaymentRoute{}, &PaymentRouteList{})
	scheme.AddKnownTypes(Traefik, &Middleware{}, &MiddlewareList{})
	metav1.AddToGroupVersion(scheme, Obol)
	metav1.AddToGroupVersion(scheme, Traefik)
	return nil
}

// Applied is the configuration of a server-side apply of a kind with this spec.
type Applied[Spec any] struct {
	metav1ac.TypeMetaApplyConfiguration    `json:",inline"`
	*metav1ac.ObjectMetaApplyConfiguration `json:"metadata,omitempty"`

	Spec *Spec `json:"spec,omitempty"`
}

func (Applied[Spec]) IsApplyConfiguration() {}
