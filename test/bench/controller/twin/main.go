// The twin of Portitor's controller: what a kubebuilder project would make of the same task.
package main

import (
	"flag"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metrics "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	gateway "sigs.k8s.io/gateway-api/apis/v1"

	"portitor.dev/test/bench/controller/api"
)

func main() {
	var (
		gatewayName   = flag.String("gateway", "traefik/traefik-gateway", "NAMESPACE/NAME")
		publicURL     = flag.String("public-url", "", "the gateway, as buyers reach it")
		verifierURL   = flag.String("verifier-url", "http://portitor-verifier.portitor.svc:8080", "as Traefik reaches it")
		facilitator   = flag.String("default-facilitator", "https://www.x402.org/facilitator", "a URL")
		healthAddress = flag.String("health-listen", ":8081", "probes")
		metricsAddr   = flag.String("metrics-listen", ":8083", "metrics")
		workers       = flag.Int("workers", 8, "reconciles at a time")
		keepManaged   = flag.Bool("keep-managed-fields", false, "in the cache, as controller-runtime does by default")
	)
	flag.Parse() // --kubeconfig is controller-runtime's own
	ctrl.SetLogger(zap.New())

	scheme := runtime.NewScheme()
	must(clientgoscheme.AddToScheme(scheme))
	must(gateway.Install(scheme))
	must(api.AddToScheme(scheme))

	config := ctrl.GetConfigOrDie()
	config.QPS = -1
	options := ctrl.Options{
		Scheme:                 scheme,
		Metrics:                metrics.Options{BindAddress: *metricsAddr},
		HealthProbeBindAddress: *healthAddress,
	}
	if !*keepManaged {
		options.Cache.DefaultTransform = cache.TransformStripManagedFields()
	}
	manager, err := ctrl.NewManager(config, options)
	must(err)
	must(manager.AddHealthzCheck("healthz", healthz.Ping))
	must(manager.AddReadyzCheck("readyz", healthz.Ping))

	namespace, name, _ := strings.Cut(*gatewayName, "/")
	probed := make(chan event.GenericEvent, 1024)
	r := &reconciler{
		Client: manager.GetClient(),
		events: manager.GetEventRecorderFor("portitor-controller"), //nolint:staticcheck // core Events, as Portitor's
		set: &settings{
			gatewayNamespace:   namespace,
			gatewayName:        name,
			verifierURL:        *verifierURL,
			publicURL:          *publicURL,
			facilitators:       map[string]string{"default": *facilitator},
			defaultFacilitator: "default",
			networks:           knownNetworks,
			suspendAfter:       3,
		},
		probes: newProber(func(offer types.NamespacedName) {
			about := &api.ServiceOffer{}
			about.Namespace, about.Name = offer.Namespace, offer.Name
			probed <- event.GenericEvent{Object: about}
		}),
	}
	must(r.setUp(manager, *workers, probed))
	must(manager.Start(ctrl.SetupSignalHandler()))
}

func must(err error) {
	if err != nil {
		ctrl.Log.Error(err, "giving up")
		os.Exit(1)
	}
}
