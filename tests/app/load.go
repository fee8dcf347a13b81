package main

import (
	"encoding/json"
	"errors"
	"flag"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

// The load tool puts one kind of load on the servers of bench.go and prints what came of it as JSON:
//
//	app load down         -flood ADDRESS [-streams N]
//	app load up           -gauge ADDRESS [-streams N]
//	app load ping         -echo ADDRESS [-pingers N]
//	app load connections  -source ADDRESS [-streams N]
//	app load busy         -flood ADDRESS -echo ADDRESS [-streams N] [-pingers N]
//	app load requests     -url URL [-streams N] [-h2] [-fresh]
//	app load fetch        -url URL [-streams N] [-h2]
//
// Each load is there for a while before anything counts (-settle) and measured for a time that is always the same
// (-time), whatever the way is like. At the end it is told to stop and what is on the way is taken, unless that takes
// longer than -drain: then the connection is cut.
var loads = map[string]func(*load) (any, error){
	"down":        (*load).down,
	"up":          (*load).up,
	"ping":        (*load).ping,
	"connections": (*load).connections,
	"busy":        (*load).busy,
	"requests":    (*load).requests,
	"fetch":       (*load).fetch,
}

type load struct {
	source, flood, gauge, echo        netip.AddrPort
	url                               string
	h2, fresh                         bool
	streams, pingers                  int
	settle, duration, drain, patience time.Duration

	// All bytes of all transfers, those included that do not count.
	moved atomic.Int64
	// Connections that were cut at the end.
	cut atomic.Int64
}

// transferred is what a bulk transfer came to while it was measured.
type transferred struct {
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

// timed are durations of equal things, in microseconds.
type timed struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50Us"`
	P99   float64 `json:"p99Us"`
}

func runLoad() error {
	if len(os.Args) < 3 || loads[os.Args[2]] == nil {
		return errors.New("usage: app load down|up|ping|connections|busy|requests|fetch [-source|-flood|-gauge|-echo IP:PORT] …")
	}
	var job load
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	for name, address := range map[string]*netip.AddrPort{
		"source": &job.source, "flood": &job.flood, "gauge": &job.gauge, "echo": &job.echo,
	} {
		flags.TextVar(address, name, netip.AddrPort{}, "`IP:PORT` of that server")
	}
	flags.StringVar(&job.url, "url", "", "what is asked for")
	flags.BoolVar(&job.h2, "h2", false, "HTTP/2 by prior knowledge, all on one connection")
	flags.BoolVar(&job.fresh, "fresh", false, "a connection for each request")
	flags.IntVar(&job.streams, "streams", 1, "connections at the same time")
	flags.IntVar(&job.pingers, "pingers", 1, "connections with round trips at the same time")
	flags.DurationVar(&job.settle, "settle", 300*time.Millisecond, "how long before anything counts")
	flags.DurationVar(&job.duration, "time", 2*time.Second, "how long it counts")
	flags.DurationVar(&job.drain, "drain", time.Second, "how long the rest of a transfer may take")
	flags.DurationVar(&job.patience, "patience", 5*time.Second, "how long nothing may happen")
	flags.Parse(os.Args[3:])
	// One for each thread that waits in a system call, so that none has to be handed over.
	runtime.GOMAXPROCS(2*job.streams + job.pingers + 2)
	result, err := loads[os.Args[2]](&job)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"result": result, "movedBytes": job.moved.Load(), "cut": job.cut.Load(), "cpuSeconds": ownSeconds(),
	})
}

func ownSeconds() float64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

func summary(times []time.Duration) timed {
	if len(times) == 0 {
		return timed{}
	}
	slices.Sort(times)
	at := func(share float64) float64 {
		return float64(times[int(share*float64(len(times)-1))].Nanoseconds()) / 1000
	}
	return timed{len(times), at(0.50), at(0.99)}
}
