package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

// list stores each page's items before it asks for the next one; an informer would collect them first.
func list(url string, pageSize int64) error {
	client, err := newRoutes(url)
	if err != nil {
		return err
	}
	store := cache.NewStore(cache.MetaNamespaceKeyFunc)

	start := time.Now()
	for options := (metav1.ListOptions{Limit: pageSize}); ; {
		page, err := client.List(context.Background(), options)
		if err != nil {
			return err
		}
		for i := range page.Items {
			if err := store.Add(&page.Items[i]); err != nil {
				return err
			}
		}
		if options.Continue = page.Continue; options.Continue == "" {
			break
		}
	}
	elapsed := time.Since(start)
	peak, err := peakKB()
	if err != nil {
		return err
	}
	return report(map[string]any{
		"ms":          float64(elapsed.Microseconds()) / 1000,
		"objects":     len(store.ListKeys()),
		"peak_rss_kb": peak,
	})
}

// peakKB is the most memory that this process ever had resident.
func peakKB() (int, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	found := regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`).FindSubmatch(status)
	if found == nil {
		return 0, fmt.Errorf("/proc/self/status has no VmHWM")
	}
	return strconv.Atoi(string(found[1]))
}
