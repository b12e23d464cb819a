package main

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// reconnect runs until it is ended.
func reconnect(url string) error {
	client, err := newRoutes(url)
	if err != nil {
		return err
	}
	source := cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return client.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return client.Watch(ctx, options)
		},
	}, client)
	informer := cache.NewSharedIndexInformer(source, &PaymentRoute{}, 0, cache.Indexers{})
	synced := make(chan struct{})
	handler := cache.ResourceEventHandlerDetailedFuncs{AddFunc: func(object any, initial bool) {
		seen := time.Now()
		if initial {
			return
		}
		<-synced
		_ = report(map[string]any{
			"event":   object.(*PaymentRoute).Name,
			"unix_ms": float64(seen.UnixMicro()) / 1000,
		})
	}}
	registration, err := informer.AddEventHandler(handler)
	if err != nil {
		return err
	}
	ctx := context.Background()
	go informer.RunWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), registration.HasSynced) {
		return fmt.Errorf("the informer did not sync")
	}
	if err := report(map[string]any{"synced": true}); err != nil {
		return err
	}
	close(synced)
	<-ctx.Done()
	return nil
}
