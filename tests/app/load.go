package main

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// The load tool puts one kind of load on the servers of bench.go for a limited time and prints what came of it as JSON:
//
//	app load down         -source ADDRESS [-streams N]
//	app load up           -blocks ADDRESS [-streams N]
//	app load ping         -echo ADDRESS
//	app load connections  -source ADDRESS [-streams N]
//	app load busy         -source ADDRESS -echo ADDRESS
//
// No transfer is cut: downloads are asked for in a size that takes about the time. The client knows when it has all and
// closes then: kubectl port-forward tells the end of a connection that the server closes a second late.
var loads = map[string]func(*load) (any, error){
	"down":        (*load).down,
	"up":          (*load).up,
	"ping":        (*load).ping,
	"connections": (*load).connections,
	"busy":        (*load).busy,
}

type load struct {
	source, blocks, echo netip.AddrPort
	streams              int
	duration             time.Duration
	patience             time.Duration

	// All bytes of all transfers, those included that only find the rate.
	moved atomic.Int64
}

// transferred is what a bulk transfer came to, from the first connect to the last end.
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
		return errors.New("usage: app load down|up|ping|connections|busy [-source|-blocks|-echo IP:PORT] …")
	}
	var job load
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	for name, address := range map[string]*netip.AddrPort{
		"source": &job.source, "blocks": &job.blocks, "echo": &job.echo,
	} {
		flags.TextVar(address, name, netip.AddrPort{}, "`IP:PORT` of that server")
	}
	flags.IntVar(&job.streams, "streams", 1, "connections at the same time")
	flags.DurationVar(&job.duration, "time", 2*time.Second, "how long about")
	flags.DurationVar(&job.patience, "patience", 5*time.Second, "how long nothing may happen")
	flags.Parse(os.Args[3:])
	// One for each thread that waits in a system call, so that none has to be handed over.
	runtime.GOMAXPROCS(job.streams + 2)
	result, err := loads[os.Args[2]](&job)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"result": result, "movedBytes": job.moved.Load(), "cpuSeconds": ownSeconds(),
	})
}

func ownSeconds() float64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

const bufferBytes = 256 << 10

// down finds the rate with small downloads first.
func (job *load) down() (any, error) {
	return job.downFor(job.duration)
}

func (job *load) downFor(duration time.Duration) (transferred, error) {
	size := int64(16 << 20)
	for _, part := range []time.Duration{duration / 8, duration} {
		found, err := job.fetch(size)
		if err != nil {
			return found, err
		}
		size = int64(float64(found.Bytes) / found.Seconds * part.Seconds())
	}
	return job.fetch(size)
}

// fetch downloads size bytes, an equal share of it in each stream.
func (job *load) fetch(size int64) (transferred, error) {
	share := size/int64(job.streams) + 1
	return job.transfer(job.source, func(conn *socket) (int64, error) {
		if _, err := fmt.Fprintln(conn, share); err != nil {
			return 0, err
		}
		var total int64
		for buffer := make([]byte, bufferBytes); total < share; {
			n, err := conn.Read(buffer)
			total += int64(n)
			if err != nil {
				return total, fmt.Errorf("after %d bytes of %d: %w", total, share, err)
			}
		}
		return total, nil
	})
}

// up counts what the server has acknowledged, and the time until it has.
func (job *load) up() (any, error) {
	return job.transfer(job.blocks, func(conn *socket) (int64, error) {
		const headerBytes = 8
		block := slices.Clone(pattern[:bufferBytes])
		binary.BigEndian.PutUint64(block, bufferBytes-headerBytes)
		var sent int64
		for end := time.Now().Add(job.duration); time.Now().Before(end); {
			if _, err := conn.Write(block); err != nil {
				return sent, err
			}
			sent += bufferBytes - headerBytes
		}
		if _, err := conn.Write(make([]byte, headerBytes)); err != nil {
			return sent, err
		}
		got, err := conn.readCount()
		if err == nil && got != sent {
			err = fmt.Errorf("write: %d bytes were sent, %d arrived", sent, got)
		}
		return got, err
	})
}

func (job *load) transfer(to netip.AddrPort, one func(*socket) (int64, error)) (transferred, error) {
	var total atomic.Int64
	start := time.Now()
	err := job.inEachStream(func() error {
		conn, err := dialSocket(to, job.patience)
		if err != nil {
			return err
		}
		defer conn.close()
		n, err := one(conn)
		total.Add(n)
		job.moved.Add(n)
		return err
	})
	return transferred{total.Load(), time.Since(start).Seconds()}, err
}

func (job *load) ping() (any, error) {
	conn, err := dialSocket(job.echo, job.patience)
	if err != nil {
		return nil, err
	}
	defer conn.close()
	end := time.Now().Add(job.duration)
	return pingWhile(conn, func() bool { return time.Now().Before(end) })
}

const pingBytes = 64

// pingWhile measures round trips of 64 bytes on one connection, one after the other.
func pingWhile(conn *socket, goesOn func() bool) (timed, error) {
	var times []time.Duration
	message := slices.Clone(pattern[:pingBytes])
	for goesOn() {
		start := time.Now()
		if _, err := conn.Write(message); err != nil {
			return timed{}, err
		}
		if _, err := io.ReadFull(conn, message); err != nil {
			return timed{}, err
		}
		times = append(times, time.Since(start))
	}
	return summary(times), nil
}

// connections opens one after the other in each stream; each carries one request of some bytes and one answer. It
// counts those that are over in time; one that fails is counted and not tried again.
func (job *load) connections() (any, error) {
	var mutex sync.Mutex
	var times []time.Duration
	var failed int
	var failure error
	end := time.Now().Add(job.duration)
	job.inEachStream(func() error {
		for time.Now().Before(end) {
			start := time.Now()
			err := job.connectOnce()
			mutex.Lock()
			if err != nil {
				failed, failure = failed+1, err
			} else if time.Now().Before(end) {
				times = append(times, time.Since(start))
			}
			mutex.Unlock()
		}
		return nil
	})
	if len(times) == 0 {
		return nil, fmt.Errorf("no connection succeeded: %w", failure)
	}
	text := ""
	if failure != nil {
		text = failure.Error()
	}
	return struct {
		timed
		PerSecond float64 `json:"perSecond"`
		Failed    int     `json:"failed"`
		Failure   string  `json:"failure,omitempty"`
	}{summary(times), float64(len(times)) / job.duration.Seconds(), failed, text}, nil
}

func (job *load) connectOnce() error {
	conn, err := dialSocket(job.source, job.patience)
	if err != nil {
		return err
	}
	defer conn.close()
	if _, err := conn.Write([]byte("1\n")); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 2))
	return err
}

// busy pings on a connection of its own for as long as a download runs.
func (job *load) busy() (any, error) {
	conn, err := dialSocket(job.echo, job.patience)
	if err != nil {
		return nil, err
	}
	defer conn.close()
	var isOver atomic.Bool
	var bulk transferred
	done := make(chan error)
	go func() {
		var err error
		bulk, err = job.downFor(job.duration)
		isOver.Store(true)
		done <- err
	}()
	// The small downloads that find the rate come first.
	time.Sleep(job.duration / 4)
	pings, err := pingWhile(conn, func() bool { return !isOver.Load() })
	if err = errors.Join(err, <-done); err != nil {
		return nil, err
	}
	return struct {
		timed
		Bulk transferred `json:"bulk"`
	}{pings, bulk}, nil
}

// inEachStream answers the first failure when all are done.
func (job *load) inEachStream(work func() error) error {
	failures := make(chan error, job.streams)
	for range job.streams {
		go func() { failures <- work() }()
	}
	var first error
	for range job.streams {
		first = cmp.Or(first, <-failures)
	}
	return first
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
