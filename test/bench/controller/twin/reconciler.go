package main

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"
	gateway "sigs.k8s.io/gateway-api/apis/v1"

	"portitor.dev/test/bench/controller/api"
)

const (
	finalizer    = "obol.org/portitor"
	fieldManager = client.FieldOwner("portitor-controller")
	byPath       = "path"
)

type reconciler struct {
	client.Client
	events record.EventRecorder
	set    *settings
	probes *prober
}

func (r *reconciler) setUp(manager ctrl.Manager, workers int, probed chan event.GenericEvent) error {
	path := func(of client.Object) []string {
		offer := of.(*api.ServiceOffer)
		return []string{offer.Spec.Hostname + pathOf(offer)}
	}
	if err := manager.GetFieldIndexer().IndexField(context.Background(), &api.ServiceOffer{}, byPath, path); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(manager).
		For(&api.ServiceOffer{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&api.Middleware{}).
		Owns(&gateway.HTTPRoute{}).
		Owns(&api.PaymentRoute{}).
		WatchesRawSource(source.Channel(probed, &handler.EnqueueRequestForObject{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var offer api.ServiceOffer
	if err := r.Get(ctx, request.NamespacedName, &offer); err != nil {
		if apierrors.IsNotFound(err) {
			r.probes.forget(request.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	var seen observed
	if err := r.observe(ctx, &offer, &seen); err != nil {
		return ctrl.Result{}, err
	}
	if !offer.DeletionTimestamp.IsZero() {
		r.probes.forget(request.NamespacedName)
		return ctrl.Result{}, r.takeDown(ctx, &offer, &seen)
	}
	if !controllerutil.ContainsFinalizer(&offer, finalizer) {
		base := offer.DeepCopy()
		controllerutil.AddFinalizer(&offer, finalizer)
		patch := client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})
		if err := r.Patch(ctx, &offer, patch); err != nil {
			if apierrors.IsConflict(err) {
				return ctrl.Result{RequeueAfter: 1}, nil
			}
			return ctrl.Result{}, err
		}
	}
	failure := r.publish(ctx, &offer, &seen)
	if seen.blocked == nil || seen.blocked.condition != upstreamHealthy {
		r.probes.watch(request.NamespacedName, upstreamOrigin(&offer)+offer.Spec.Upstream.HealthPath)
	}
	if err := r.writeStatus(ctx, &offer, &seen); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, failure
}

func (r *reconciler) observe(ctx context.Context, offer *api.ServiceOffer, seen *observed) error {
	var err error
	if seen.middleware, err = find[api.Middleware](ctx, r, offer.Namespace, middlewareName(offer.Name)); err != nil {
		return err
	}
	if seen.httpRoute, err = find[gateway.HTTPRoute](ctx, r, offer.Namespace, httpRouteName(offer.Name)); err != nil {
		return err
	}
	seen.paymentRoute, err = find[api.PaymentRoute](ctx, r, offer.Namespace, paymentRouteName(offer.Name))
	seen.probe = r.probes.latest(client.ObjectKeyFromObject(offer))
	return err
}

// find reads from the cache; nil where there is none.
func find[T any, P interface {
	*T
	client.Object
}](ctx context.Context, from client.Reader, namespace, name string) (*T, error) {
	var out T
	err := from.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, P(&out))
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return &out, err
}

// publish brings the children to what they should be; a failing one holds up no other.
func (r *reconciler) publish(ctx context.Context, offer *api.ServiceOffer, seen *observed) error {
	older, err := r.olderOnPath(ctx, offer)
	if err != nil {
		return err
	}
	terms, blocked := termsOf(offer, r.set)
	if blocked == nil {
		blocked = checkPlacement(offer, older)
	}
	seen.blocked = blocked
	if blocked != nil {
		return r.takeDownRoute(ctx, seen)
	}
	terms.Suspended = seen.probe.failures >= r.set.suspendAfter ||
		(!seen.probe.known && seen.paymentRoute != nil && seen.paymentRoute.Spec.Suspended)
	gate := applied(offer, api.Traefik.WithKind("Middleware"), middlewareName(offer.Name), desiredMiddleware(offer, r.set))
	if live := seen.middleware; live == nil || !holds(live, gate.ObjectMetaApplyConfiguration) ||
		!equality.Semantic.DeepEqual(live.Spec, *gate.Spec) {
		err = r.Apply(ctx, gate, fieldManager, client.ForceOwnership)
	}
	sold := applied(offer, api.Obol.WithKind("PaymentRoute"), paymentRouteName(offer.Name), terms)
	if live := seen.paymentRoute; live == nil || !holds(live, sold.ObjectMetaApplyConfiguration) ||
		!equality.Semantic.DeepEqual(live.Spec, *sold.Spec) {
		err = first(err, r.Apply(ctx, sold, fieldManager, client.ForceOwnership))
	}
	route := applied(offer, gateway.SchemeGroupVersion.WithKind("HTTPRoute"), httpRouteName(offer.Name),
		desiredHTTPRoute(offer, r.set))
	if live := seen.httpRoute; live == nil || !holds(live, route.ObjectMetaApplyConfiguration) ||
		!equality.Semantic.DeepEqual(live.Spec, *route.Spec) {
		err = first(err, r.Apply(ctx, route, fieldManager, client.ForceOwnership))
	}
	return err
}

func first(one, other error) error {
	if one != nil {
		return one
	}
	return other
}

// olderOnPath is the older offer that has this path, if any.
func (r *reconciler) olderOnPath(ctx context.Context, offer *api.ServiceOffer) (string, error) {
	var same api.ServiceOfferList
	where := client.MatchingFields{byPath: offer.Spec.Hostname + pathOf(offer)}
	if err := r.List(ctx, &same, where, client.UnsafeDisableDeepCopy); err != nil {
		return "", err
	}
	for i := range same.Items {
		other := &same.Items[i]
		if other.UID == offer.UID {
			continue
		}
		older := other.CreationTimestamp.Before(&offer.CreationTimestamp) ||
			(other.CreationTimestamp.Equal(&offer.CreationTimestamp) &&
				other.Namespace+"/"+other.Name < offer.Namespace+"/"+offer.Name)
		if older {
			return other.Namespace + "/" + other.Name, nil
		}
	}
	return "", nil
}

func (r *reconciler) writeStatus(ctx context.Context, offer *api.ServiceOffer, seen *observed) error {
	base := offer.DeepCopy()
	judge(offer, seen, r.set)
	if !equality.Semantic.DeepEqual(base.Status, offer.Status) {
		if err := r.Status().Patch(ctx, offer, client.MergeFrom(base)); err != nil {
			return client.IgnoreNotFound(err)
		}
	}
	for i := range offer.Status.Conditions {
		now := &offer.Status.Conditions[i]
		before := meta.FindStatusCondition(base.Status.Conditions, now.Type)
		if now.Status == metav1.ConditionUnknown || now.Reason == "Disabled" || now.Reason == "Withheld" ||
			(now.Type == ready && now.Status != metav1.ConditionTrue) ||
			(before != nil && before.Status == now.Status) {
			continue
		}
		severity := "Normal"
		if now.Status != metav1.ConditionTrue {
			severity = "Warning"
		}
		r.events.Event(offer, severity, now.Reason, now.Message)
	}
	return nil
}

func (r *reconciler) takeDownRoute(ctx context.Context, seen *observed) error {
	switch {
	case seen.httpRoute != nil:
		return client.IgnoreNotFound(r.Delete(ctx, seen.httpRoute))
	case seen.middleware != nil:
		return client.IgnoreNotFound(r.Delete(ctx, seen.middleware))
	case seen.paymentRoute != nil:
		return client.IgnoreNotFound(r.Delete(ctx, seen.paymentRoute))
	}
	return nil
}

func (r *reconciler) takeDown(ctx context.Context, offer *api.ServiceOffer, seen *observed) error {
	if !controllerutil.ContainsFinalizer(offer, finalizer) {
		return nil
	}
	if seen.httpRoute != nil || seen.middleware != nil || seen.paymentRoute != nil {
		return r.takeDownRoute(ctx, seen)
	}
	base := offer.DeepCopy()
	controllerutil.RemoveFinalizer(offer, finalizer)
	patch := client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})
	return client.IgnoreNotFound(r.Patch(ctx, offer, patch))
}
