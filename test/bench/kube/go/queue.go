package main

import (
	"fmt"
	"time"

	"k8s.io/client-go/util/workqueue"
)

// queue adds each key twice, then lets one worker do them all.
func queue(count int) error {
	keys := make([]string, count)
	for i := range keys {
		keys[i] = fmt.Sprintf("seller-%02d/route-%06d", i%100, i)
	}
	todo := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())
	defer todo.ShutDown()

	start := time.Now()
	for range 2 {
		for _, key := range keys {
			todo.Add(key)
		}
	}
	done := 0
	for ; todo.Len() > 0; done++ {
		key, _ := todo.Get()
		todo.Forget(key)
		todo.Done(key)
	}
	elapsed := time.Since(start)
	if done != count {
		return fmt.Errorf("%d keys came out of the queue, not %d", done, count)
	}
	return report(map[string]any{"ns_per_key": float64(elapsed.Nanoseconds()) / float64(count), "keys": count})
}
