// Kube_bench_go does with client-go what kube_bench does with Portitor's own client.
//
//	kube_bench_go event FILE N            decodes N watch lines, FILE's over and over, into a store
//	kube_bench_go list [--full] URL       lists all PaymentRoutes into a store, in pages of 500 or at once
//	kube_bench_go queue N                 N keys through a rate-limiting queue
//	kube_bench_go reconnect URL           reports what a shared informer adds after its first list
//
// URL is the API server's, without a path. Each prints JSON, one object a line.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kube_bench_go:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	usage := fmt.Errorf("usage: event FILE N | list [--full] URL | queue N | reconnect URL")
	command := ""
	if len(arguments) > 0 {
		command, arguments = arguments[0], arguments[1:]
	}
	switch {
	case command == "event" && len(arguments) == 2:
		count, err := positive(arguments[1])
		if err != nil {
			return err
		}
		return event(arguments[0], count)
	case command == "list" && len(arguments) == 1:
		return list(arguments[0], 500)
	case command == "list" && len(arguments) == 2 && arguments[0] == "--full":
		return list(arguments[1], 0)
	case command == "queue" && len(arguments) == 1:
		count, err := positive(arguments[0])
		if err != nil {
			return err
		}
		return queue(count)
	case command == "reconnect" && len(arguments) == 1:
		return reconnect(arguments[0])
	}
	return usage
}

func positive(text string) (int, error) {
	number, err := strconv.Atoi(text)
	if err == nil && number < 1 {
		err = fmt.Errorf("%q is not above zero", text)
	}
	return number, err
}

func report(values map[string]any) error {
	return json.NewEncoder(os.Stdout).Encode(values)
}
