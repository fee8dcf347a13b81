package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"strings"
	"sync"
	"time"
)

// The client of who.go asks again and again, checks who answered, and prints what came of it as JSON (tallied):
//
//	app ask http  -url URL        requests, each worker on a connection of its own; with -h2 all on one connection
//	app ask grpc  -address H:P    a call and a chat of -messages for each, all on one connection
//	app ask ws    -url ws://…/ws  a WebSocket with -messages for each
//	app ask udp   -address H:P    datagrams, each from a port of its own
//	app ask tcp   -address H:P    connections in which the server speaks first
//
// What is asked cycles through the variants: each -expect 'HEADER: VALUE -> WHO' (or '-> WHO' for no header) is a header
// and who has to answer it, with * and ?. It ends after -requests and not before -time, or when it is told to (SIGTERM).
var asks = map[string]func(*asker) (func(worker int) (question, error), error){
	"http": (*asker).overHTTP,
	"grpc": (*asker).overGRPC,
	"ws":   (*asker).overWebSocket,
	"udp":  (*asker).overUDP,
	"tcp":  (*asker).overTCP,
}

// question asks once and tells who answered. It is used by one at a time.
type question func(variant) (who string, err error)

type asker struct {
	url, address, method  string
	workers, requests     int
	messages, body        int
	time, patience, pause time.Duration
	multiplexed, list     bool
	variants              variants

	mutex  sync.Mutex
	result tallied
}

// tallied is what came of it all.
type tallied struct {
	// Answered by who should, by another, by nobody or wrongly.
	Right  int `json:"right"`
	Wrong  int `json:"wrong"`
	Failed int `json:"failed"`
	// By variant, then by who answered.
	Answers map[string]map[string]int `json:"answers"`
	// Connections that were made (http, grpc).
	Connections int `json:"connections"`
	// The first of those that were not right.
	Faults []string `json:"faults,omitempty"`
	// With -list each answer in order, "MS VARIANT WHO": when it was asked, in milliseconds since 1970.
	List []string `json:"list,omitempty"`
	// The longest that one took, in milliseconds.
	SlowestMs int64 `json:"slowestMs"`
}

type variant struct{ name, value, who string }

type variants []variant

func (all *variants) String() string { return fmt.Sprint(*all) }

func (all *variants) Set(text string) error {
	header, who, found := strings.Cut(text, "->")
	name, value, _ := strings.Cut(header, ":")
	if !found {
		return errors.New("expected 'HEADER: VALUE -> WHO'")
	}
	*all = append(*all, variant{strings.TrimSpace(name), strings.TrimSpace(value), strings.TrimSpace(who)})
	return nil
}

func (v variant) String() string {
	if v.name == "" {
		return "none"
	}
	return v.name + ": " + v.value
}

func runAsk() error {
	if len(os.Args) < 3 || asks[os.Args[2]] == nil {
		return errors.New("usage: app ask http|grpc|ws|udp|tcp -url URL|-address HOST:PORT -expect 'HEADER: VALUE -> WHO' …")
	}
	job := asker{result: tallied{Answers: map[string]map[string]int{}}}
	flags := flag.NewFlagSet("ask", flag.ExitOnError)
	flags.StringVar(&job.url, "url", "", "of http, ws")
	flags.StringVar(&job.address, "address", "", "of grpc, udp, tcp")
	flags.StringVar(&job.method, "method", "POST", "of http; what is no GET is sent once only")
	flags.IntVar(&job.workers, "workers", 1, "who ask at the same time")
	flags.IntVar(&job.requests, "requests", 1, "of all workers together, at least")
	flags.DurationVar(&job.time, "time", 0, "how long, at least")
	flags.DurationVar(&job.pause, "pause", 0, "of each worker between two")
	flags.DurationVar(&job.patience, "patience", 10*time.Second, "how long one may take")
	flags.IntVar(&job.messages, "messages", 3, "of each chat and WebSocket")
	flags.IntVar(&job.body, "body", 16, "bytes of a request's body (http)")
	flags.BoolVar(&job.multiplexed, "h2", false, "HTTP/2 by prior knowledge, one connection")
	flags.BoolVar(&job.list, "list", false, "print each answer")
	flags.Var(&job.variants, "expect", "`VARIANT -> WHO`, may be repeated")
	flags.Parse(os.Args[3:])
	if len(job.variants) == 0 {
		job.variants = variants{{who: "*"}}
	}
	worker, err := asks[os.Args[2]](&job)
	if err != nil {
		return err
	}
	if err := job.askAll(worker); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(job.result)
}

// askAll has the workers ask until it is enough; variants go round whoever asks.
func (job *asker) askAll(worker func(int) (question, error)) error {
	go leaveAsking()
	begin := time.Now()
	var next int
	take := func() (variant, bool) {
		job.mutex.Lock()
		defer job.mutex.Unlock()
		enough := next >= job.requests && time.Since(begin) >= job.time
		chosen := job.variants[next%len(job.variants)]
		next++
		return chosen, !enough && !leaving.Load()
	}
	var workers sync.WaitGroup
	for i := range job.workers {
		ask, err := worker(i)
		if err != nil {
			return err
		}
		workers.Go(func() {
			for asked, more := take(); more; asked, more = take() {
				sent := time.Now()
				answered, err := ask(asked)
				job.tally(asked, answered, err, sent)
				time.Sleep(job.pause)
			}
		})
	}
	workers.Wait()
	return nil
}

func (job *asker) tally(asked variant, answered string, err error, sent time.Time) {
	took := time.Since(sent)
	job.mutex.Lock()
	defer job.mutex.Unlock()
	result := &job.result
	result.SlowestMs = max(result.SlowestMs, took.Milliseconds())
	fault := ""
	if err != nil {
		result.Failed++
		answered = "nobody"
		fault = err.Error()
	} else if matches, _ := path.Match(asked.who, answered); matches {
		result.Right++
	} else {
		result.Wrong++
		fault = answered + " answered"
	}
	of := asked.String()
	if result.Answers[of] == nil {
		result.Answers[of] = map[string]int{}
	}
	result.Answers[of][answered]++
	if fault != "" && len(result.Faults) < 10 {
		result.Faults = append(result.Faults, fmt.Sprintf("%s %s: %s", time.Now().Format("15:04:05.000"), of, fault))
	}
	if job.list {
		result.List = append(result.List, fmt.Sprint(sent.UnixMilli(), " ", of, " ", answered))
	}
}

func (job *asker) connected() {
	job.mutex.Lock()
	defer job.mutex.Unlock()
	job.result.Connections++
}
