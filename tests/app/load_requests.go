package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

func (job *load) ping() (any, error) {
	conns, err := job.dialPingers()
	if err != nil {
		return nil, err
	}
	return job.pingAll(conns, job.settle)
}

// busy pings on connections of its own while downloads run.
func (job *load) busy() (any, error) {
	conns, err := job.dialPingers()
	if err != nil {
		return nil, err
	}
	var pings timed
	bulk, err := job.whileDownloading(func() (err error) {
		pings, err = job.pingAll(conns, 0)
		return err
	})
	return struct {
		timed
		Bulk transferred `json:"bulk"`
	}{pings, bulk}, err
}

// dialPingers opens the connections and has each carry one round trip, which wakes all who are on the way.
func (job *load) dialPingers() ([]*socket, error) {
	conns := make([]*socket, job.pingers)
	for i := range conns {
		conn, err := dialSocket(job.echo, job.patience)
		if err != nil {
			return nil, err
		}
		if _, err := pingOnce(conn); err != nil {
			return nil, err
		}
		conns[i] = conn
	}
	return conns, nil
}

// pingAll measures round trips, in each connection one after the other, and closes the connections.
func (job *load) pingAll(conns []*socket, settle time.Duration) (timed, error) {
	begin := time.Now().Add(settle)
	end := begin.Add(job.duration)
	var mutex sync.Mutex
	var all []time.Duration
	failures := make(chan error, len(conns))
	for _, conn := range conns {
		go func() {
			defer conn.close()
			times, err := pingUntil(conn, begin, end)
			mutex.Lock()
			all = append(all, times...)
			mutex.Unlock()
			failures <- err
		}()
	}
	var first error
	for range conns {
		first = cmp.Or(first, <-failures)
	}
	return summary(all), first
}

// pingUntil answers the times of those that began in the time: none is left out because it took too long.
func pingUntil(conn *socket, begin, end time.Time) (times []time.Duration, err error) {
	for {
		start := time.Now()
		if !start.Before(end) {
			return times, nil
		}
		took, err := pingOnce(conn)
		if err != nil {
			return times, err
		}
		if !start.Before(begin) {
			times = append(times, took)
		}
	}
}

const pingBytes = 64

func pingOnce(conn *socket) (time.Duration, error) {
	message := slices.Clone(pattern[:pingBytes])
	start := time.Now()
	if _, err := conn.Write(message); err != nil {
		return 0, err
	}
	_, err := io.ReadFull(conn, message)
	return time.Since(start), err
}

// connections opens one after the other in each stream; each carries one request of some bytes and one answer. It
// counts those that end in the time; one that fails is counted and not tried again.
func (job *load) connections() (any, error) {
	begin := time.Now().Add(job.settle)
	end := begin.Add(job.duration)
	var mutex sync.Mutex
	var times []time.Duration
	var failed int
	var failure error
	var all sync.WaitGroup
	for range job.streams {
		all.Add(1)
		go func() {
			defer all.Done()
			for time.Now().Before(end) {
				start := time.Now()
				err := job.connectOnce()
				over := time.Now()
				mutex.Lock()
				if err != nil {
					failed, failure = failed+1, err
				} else if !over.Before(begin) && over.Before(end) {
					times = append(times, over.Sub(start))
				}
				mutex.Unlock()
			}
		}()
	}
	all.Wait()
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
