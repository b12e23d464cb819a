// What the controllers under test find: offers, and upstreams that are well.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	flags := flag.NewFlagSet("world", flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "the API server")
	offers := flags.Int("offers", 10, "how many")
	namespaces := flags.Int("namespaces", 1, "that they are spread over")
	listen := flags.String("listen", "", "where the upstream of all offers listens")
	var err error
	switch len(os.Args) {
	case 1:
		err = fmt.Errorf("usage: world fill|upstream ...")
	default:
		_ = flags.Parse(os.Args[2:])
		if os.Args[1] == "upstream" {
			err = http.ListenAndServe(*listen, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		} else {
			err = fill(*kubeconfig, *offers, *namespaces)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func fill(kubeconfig string, offers, namespaces int) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	to, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	err = each(namespaces, func(i int) error {
		made := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": namespace(i, namespaces)},
		}}
		return create(to, schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}, "", made)
	})
	if err != nil {
		return err
	}
	kind := schema.GroupVersionResource{Group: "obol.org", Version: "v1alpha1", Resource: "serviceoffers"}
	return each(offers, func(i int) error {
		return create(to, kind, namespace(i, namespaces), offer(i, namespace(i, namespaces)))
	})
}

func namespace(i, namespaces int) string { return fmt.Sprintf("sellers-%03d", i%namespaces) }

func offer(i int, namespace string) *unstructured.Unstructured {
	name := fmt.Sprintf("offer-%05d", i)
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "obol.org/v1alpha1",
		"kind":       "ServiceOffer",
		"metadata":   map[string]any{"name": name, "namespace": namespace, "labels": map[string]any{"team": namespace}},
		"spec": map[string]any{
			"type":     "http",
			"upstream": map[string]any{"service": "hello", "port": int64(9000), "healthPath": "/health"},
			"payment": map[string]any{
				"network": "base-sepolia",
				"payTo":   "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
				"price":   map[string]any{"perRequest": "0.001"},
			},
			"routes": []any{
				map[string]any{"path": "/docs/*", "gate": "free"},
				map[string]any{"path": "/report", "gate": "paid", "price": map[string]any{"perRequest": "0.25"}},
			},
			"registration": map[string]any{"enabled": false, "description": "the service " + name},
		},
	}}
}

func create(to dynamic.Interface, kind schema.GroupVersionResource, namespace string, made *unstructured.Unstructured) error {
	var err error
	if namespace == "" {
		_, err = to.Resource(kind).Create(context.Background(), made, metav1.CreateOptions{})
	} else {
		_, err = to.Resource(kind).Namespace(namespace).Create(context.Background(), made, metav1.CreateOptions{})
	}
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// each runs for 0 to n-1, some at a time; the last error, if any.
func each(n int, do func(int) error) error {
	var (
		all  sync.WaitGroup
		lock sync.Mutex
		last error
		next int
	)
	for range 16 {
		all.Go(func() {
			for {
				lock.Lock()
				i := next
				next++
				lock.Unlock()
				if i >= n {
					return
				}
				if err := do(i); err != nil {
					lock.Lock()
					last = err
					lock.Unlock()
				}
			}
		})
	}
	all.Wait()
	return last
}
