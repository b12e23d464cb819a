package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

type route struct {
	key          string
	pattern      string
	price        string
	network      string
	v1Network    string
	asset        string
	extra        extra
	payTo        string
	description  string
	maxTimeout   int
	facilitator  string
	domainDigest [32]byte
}

func readRoutes(path string) ([]route, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var out []route
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		f := strings.Split(lines.Text(), "\t")
		if len(f) != 12 {
			return nil, fmt.Errorf("%s: a line with %d fields", path, len(f))
		}
		timeout, err := strconv.Atoi(f[10])
		if err != nil {
			return nil, err
		}
		one := route{
			key: f[0], pattern: f[1] + "/*", price: f[2], network: f[3], v1Network: f[4], asset: f[5],
			extra: extra{Name: f[6], Version: f[7], PaymentFlow: "upfront"},
			payTo: f[8], description: f[9], maxTimeout: timeout, facilitator: f[11],
		}
		if one.domainDigest, err = domainSeparator(&one); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, lines.Err()
}

// matchRoute returns the first route whose pattern fits, in the order of the list.
func matchRoute(routes []route, path string) *route {
	for i := range routes {
		if matchPattern(routes[i].pattern, path) {
			return &routes[i]
		}
	}
	return nil
}

func matchPattern(pattern, path string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "/*"); ok && !strings.Contains(prefix, "*") {
		return path == prefix || strings.HasPrefix(path, prefix+"/")
	}
	return pattern == path
}
