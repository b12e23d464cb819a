package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	"k8s.io/apimachinery/pkg/watch"
	restclientwatch "k8s.io/client-go/rest/watch"
	"k8s.io/client-go/tools/cache"
)

// event reads a watch as rest.Request.Watch does, and stores as a reflector does. What comes between those
// two in an informer (a channel, a queue of deltas, the notifications) is left out.
func event(file string, count int) error {
	lines, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	negotiator := runtime.NewClientNegotiator(negotiated(newScheme()), groupVersion)
	objects, streamed, framer, err := negotiator.StreamDecoder(runtime.ContentTypeJSON, nil)
	if err != nil {
		return err
	}
	frames := framer.NewFrameReader(&endless{content: lines})
	events := restclientwatch.NewDecoder(streaming.NewDecoder(frames, streamed), objects)
	store := cache.NewStore(cache.MetaNamespaceKeyFunc)

	start := time.Now()
	for range count {
		kind, object, err := events.Decode()
		if err != nil {
			return err
		}
		if err := apply(store, kind, object); err != nil {
			return err
		}
	}
	elapsed := time.Since(start)
	return report(map[string]any{
		"ns_per_event": float64(elapsed.Nanoseconds()) / float64(count),
		"events":       count,
		"objects":      len(store.ListKeys()),
	})
}

func apply(store cache.Store, kind watch.EventType, object runtime.Object) error {
	if _, ok := object.(*PaymentRoute); !ok {
		return fmt.Errorf("a %T came instead of a PaymentRoute", object)
	}
	switch kind {
	case watch.Added:
		return store.Add(object)
	case watch.Modified:
		return store.Update(object)
	case watch.Deleted:
		return store.Delete(object)
	}
	return fmt.Errorf("an event %q came", kind)
}

// endless reads the same content over and over.
type endless struct {
	content []byte
	at      int
}

var _ io.ReadCloser = (*endless)(nil)

func (e *endless) Read(into []byte) (int, error) {
	if e.at == len(e.content) {
		e.at = 0
	}
	n := copy(into, e.content[e.at:])
	e.at += n
	return n, nil
}

func (e *endless) Close() error { return nil }
