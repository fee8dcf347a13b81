// Command app is every program of the sample application and of the benchmarks; its first argument says which.
package main

import (
	"fmt"
	"log"
	"os"
	"slices"
)

// roles maps the first argument to what it runs; each serves until it fails.
var roles = map[string]func() error{
	"verylargejavaservice":  servePage,
	"dataprocessingservice": serveProcessing,
	"verylargedatastore":    serveDatastore,
	"bench":                 serveBench,
}

func main() {
	log.SetFlags(log.LstdFlags | log.Lmicroseconds)
	if len(os.Args) == 2 {
		if role, known := roles[os.Args[1]]; known {
			log.Fatal(role())
		}
	}
	names := make([]string, 0, len(roles))
	for name := range roles {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Fprintf(os.Stderr, "usage: app ROLE, with ROLE one of %v\n", names)
	os.Exit(2)
}

// setting is an environment variable, or what it is without.
func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
