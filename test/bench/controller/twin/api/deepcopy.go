package api

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// As controller-gen writes them.

func (in *ServiceOffer) DeepCopyInto(out *ServiceOffer) {
	*out = *in
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	in.Spec.DeepCopyInto(&out.Spec)
	in.Status.DeepCopyInto(&out.Status)
}

func (in *ServiceOffer) DeepCopy() *ServiceOffer {
	out := new(ServiceOffer)
	in.DeepCopyInto(out)
	return out
}

func (in *ServiceOffer) DeepCopyObject() runtime.Object { return in.DeepCopy() }

func (in *ServiceOfferList) DeepCopyObject() runtime.Object {
	out := new(ServiceOfferList)
	*out = *in
	in.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = copyEach(in.Items, (*ServiceOffer).DeepCopyInto)
	return out
}

func (in *ServiceOfferSpec) DeepCopyInto(out *ServiceOfferSpec) {
	*out = *in
	if in.Model != nil {
		out.Model = new(Model)
		*out.Model = *in.Model
	}
	if in.Payment.Asset != nil {
		asset := *in.Payment.Asset
		if asset.Decimals != nil {
			decimals := *asset.Decimals
			asset.Decimals = &decimals
		}
		out.Payment.Asset = &asset
	}
	out.Routes = copyEach(in.Routes, func(in, out *OfferRoute) {
		*out = *in
		if in.Price != nil {
			out.Price = new(Price)
			*out.Price = *in.Price
		}
	})
	if in.Registration != nil {
		registration := *in.Registration
		registration.SupportedTrust = slices.Clone(in.Registration.SupportedTrust)
		registration.Skills = slices.Clone(in.Registration.Skills)
		registration.Domains = slices.Clone(in.Registration.Domains)
		registration.Metadata = maps.Clone(in.Registration.Metadata)
		out.Registration = &registration
	}
	if in.DrainAt != nil {
		out.DrainAt = in.DrainAt.DeepCopy()
	}
	if in.DrainGracePeriod != nil {
		grace := *in.DrainGracePeriod
		out.DrainGracePeriod = &grace
	}
}

func (in *ServiceOfferStatus) DeepCopyInto(out *ServiceOfferStatus) {
	*out = *in
	out.Conditions = copyEach(in.Conditions, (*metav1.Condition).DeepCopyInto)
}

func (in *PaymentRoute) DeepCopyInto(out *PaymentRoute) {
	*out = *in
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec.Rules = slices.Clone(in.Spec.Rules)
	out.Status.Conditions = copyEach(in.Status.Conditions, (*metav1.Condition).DeepCopyInto)
}

func (in *PaymentRoute) DeepCopyObject() runtime.Object {
	out := new(PaymentRoute)
	in.DeepCopyInto(out)
	return out
}

func (in *PaymentRouteList) DeepCopyObject() runtime.Object {
	out := new(PaymentRouteList)
	*out = *in
	in.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = copyEach(in.Items, (*PaymentRoute).DeepCopyInto)
	return out
}

func (in *Middleware) DeepCopyInto(out *Middleware) {
	*out = *in
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	if in.Spec.ForwardAuth != nil {
		auth := *in.Spec.ForwardAuth
		auth.AuthResponseHeaders = slices.Clone(auth.AuthResponseHeaders)
		out.Spec.ForwardAuth = &auth
	}
}

func (in *Middleware) DeepCopyObject() runtime.Object {
	out := new(Middleware)
	in.DeepCopyInto(out)
	return out
}

func (in *MiddlewareList) DeepCopyObject() runtime.Object {
	out := new(MiddlewareList)
	*out = *in
	in.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = copyEach(in.Items, (*Middleware).DeepCopyInto)
	return out
}

func copyEach[T any](in []T, copyInto func(in, out *T)) []T {
	if in == nil {
		return nil
	}
	out := make([]T, len(in))
	for i := range in {
		copyInto(&in[i], &out[i])
	}
	return out
}
