package main

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	probePeriod = 10 * time.Second
	retryPeriod = 2 * time.Second
)

// finding is what a probe found; the zero value stands for none yet.
type finding struct {
	known    bool
	failure  string
	failures int
}

// prober asks each offer's upstream for its health, over and over, at most 64 at a time.
type prober struct {
	client  *http.Client
	places  chan struct{}
	changed func(types.NamespacedName)

	lock    sync.Mutex
	targets map[types.NamespacedName]*target
}

type target struct {
	url    string
	cancel context.CancelFunc
	latest finding
}

func newProber(changed func(types.NamespacedName)) *prober {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = 0
	transport.MaxIdleConnsPerHost = 64
	return &prober{
		client:  &http.Client{Transport: transport, Timeout: 5 * time.Second},
		places:  make(chan struct{}, 64),
		changed: changed,
		targets: map[types.NamespacedName]*target{},
	}
}

// watch asks at this URL from now on.
func (p *prober) watch(offer types.NamespacedName, url string) {
	p.lock.Lock()
	defer p.lock.Unlock()
	if known := p.targets[offer]; known != nil {
		if known.url == url {
			return
		}
		known.cancel()
	}
	ctx, cancel := context.WithCancel(context.Background())
	made := &target{url: url, cancel: cancel}
	p.targets[offer] = made
	go p.follow(ctx, offer, made)
}

func (p *prober) forget(offer types.NamespacedName) {
	p.lock.Lock()
	defer p.lock.Unlock()
	if known := p.targets[offer]; known != nil {
		known.cancel()
		delete(p.targets, offer)
	}
}

func (p *prober) latest(offer types.NamespacedName) finding {
	p.lock.Lock()
	defer p.lock.Unlock()
	if known := p.targets[offer]; known != nil {
		return known.latest
	}
	return finding{}
}

func (p *prober) follow(ctx context.Context, offer types.NamespacedName, of *target) {
	for {
		failure := p.ask(ctx, of.url)
		if ctx.Err() != nil {
			return
		}
		wait := probePeriod
		p.lock.Lock()
		now := finding{known: true, failure: failure}
		if failure != "" {
			now.failures = min(of.latest.failures+1, 100)
			wait = retryPeriod
		}
		news := now != of.latest
		of.latest = now
		p.lock.Unlock()
		if news {
			p.changed(offer)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait*9/10 + rand.N(wait/5)):
		}
	}
}

func (p *prober) ask(ctx context.Context, url string) string {
	p.places <- struct{}{}
	defer func() { <-p.places }()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err.Error()
	}
	answer, err := p.client.Do(request)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	if answer.StatusCode/100 != 2 {
		return "HTTP " + strconv.Itoa(answer.StatusCode)
	}
	return ""
}
