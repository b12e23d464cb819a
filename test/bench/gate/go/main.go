// gate_go: a ForwardAuth gate as one would write it in Go with net/http, for comparison; see ../README.md. It
// finds its route by going through all of them, builds its answers from structs, and asks the facilitator with
// an http.Client a request.
package main

import (
	"flag"
	"log"
	"net/http"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address")
	routes := flag.String("routes", "", "file with routes, as gate_data.py writes them")
	client := flag.String("client", "default", "connections to the facilitator: default or tuned")
	settle := flag.Bool("settle", true, "settle after verifying")
	checkSignature := flag.Bool("check-signature", false, "recover the payer before asking the facilitator")
	cert := flag.String("tls-cert", "", "certificate file")
	key := flag.String("tls-key", "", "key file")
	flag.Parse()

	table, err := readRoutes(*routes)
	if err != nil {
		log.Fatal(err)
	}
	g := &gate{
		routes:         table,
		facilitator:    newFacilitator(*client),
		settle:         *settle,
		checkSignature: *checkSignature,
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/verify/", g.verify)
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	server := &http.Server{Addr: *listen, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	if *cert != "" {
		log.Fatal(server.ListenAndServeTLS(*cert, *key))
	}
	log.Fatal(server.ListenAndServe())
}
