// Command app is every program of the sample application and of the benchmarks; its first argument says which.
package main

import (
	"fmt"
	"log"
	"os"
	"slices"
)

// roles maps the first argument to what it runs; all but load, ask, send, streams and some edges serve until they fail.
var roles = map[string]func() error{
	"verylargejavaservice":  servePage,
	"dataprocessingservice": serveProcessing,
	"verylargedatastore":    serveDatastore,
	"bench":                 serveBench,
	"load":                  runLoad,
	"latermanager":          greetAsLaterManager,
	"who":                   serveEverythingWho,
	"ask":                   runAsk,
	"send":                  sendOctets,
	"streams":               runStreams,
	"edges":                 runEdges,
}

func main() {
	log.SetFlags(log.LstdFlags | log.Lmicroseconds)
	if len(os.Args) > 1 {
		if role, known := roles[os.Args[1]]; known {
			if err := role(); err != nil {
				log.Fatal(err)
			}
			return
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
