package main

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/gentype"
	"k8s.io/client-go/rest"
)

type routes = gentype.ClientWithList[*PaymentRoute, *PaymentRouteList]

// negotiated is the serializer of a generated client.
func negotiated(scheme *runtime.Scheme) runtime.NegotiatedSerializer {
	return rest.CodecFactoryForGeneratedClient(scheme, serializer.NewCodecFactory(scheme)).WithoutConversion()
}

// newRoutes makes a client as a generated one is made. Its own throttle is off: it would measure nothing else.
func newRoutes(url string) (*routes, error) {
	scheme := newScheme()
	client, err := rest.RESTClientFor(&rest.Config{
		Host:    url,
		APIPath: "/apis",
		QPS:     -1,
		ContentConfig: rest.ContentConfig{
			GroupVersion:         &groupVersion,
			NegotiatedSerializer: negotiated(scheme),
		},
	})
	if err != nil {
		return nil, err
	}
	return gentype.NewClientWithList(
		resource,
		client,
		runtime.NewParameterCodec(scheme),
		"",
		func() *PaymentRoute { return &PaymentRoute{} },
		func() *PaymentRouteList { return &PaymentRouteList{} },
	), nil
}
