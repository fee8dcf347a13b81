package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func (job *load) down() (any, error) {
	return job.whileDownloading(func() error {
		time.Sleep(job.duration)
		return nil
	})
}

// whileDownloading counts what all streams get while the work goes on.
func (job *load) whileDownloading(work func() error) (transferred, error) {
	var got atomic.Int64
	var found transferred
	err := job.whileTransferring(bulk{
		server: job.flood,
		run: func(conn *socket, begun func()) error {
			begun = sync.OnceFunc(begun)
			return readBlocks(conn, func(n int) {
				got.Add(int64(n))
				job.moved.Add(int64(n))
				begun()
			})
		},
		stop: func(conn *socket) { conn.Write([]byte("\n")) },
	}, func() error {
		start, before := time.Now(), got.Load()
		err := work()
		found = transferred{got.Load() - before, time.Since(start).Seconds()}
		return err
	})
	return found, err
}

// up counts what the servers have got, by their own clocks.
func (job *load) up() (any, error) {
	gauges := make([]*gaugeReader, 0, job.streams)
	var mutex sync.Mutex
	var isOver atomic.Bool
	var found transferred
	err := job.whileTransferring(bulk{
		server: job.gauge,
		run: func(conn *socket, begun func()) error {
			reader := &gaugeReader{begun: begun}
			mutex.Lock()
			gauges = append(gauges, reader)
			mutex.Unlock()
			written := make(chan error, 1)
			go func() { written <- writeBlocks(conn, &isOver) }()
			err := reader.readAll(conn)
			if failed := <-written; err == nil {
				err = failed
			}
			last := reader.last()
			job.moved.Add(last.bytes)
			if err == nil && last.bytes%blockBytes != 0 {
				err = fmt.Errorf("write: %d bytes arrived, which are no whole blocks", last.bytes)
			}
			return err
		},
		stop: func(*socket) { isOver.Store(true) },
	}, func() error {
		start := time.Now()
		time.Sleep(job.duration)
		end := time.Now()
		var perSecond float64
		for _, reader := range gauges {
			perSecond += reader.rate(start, end)
		}
		seconds := end.Sub(start).Seconds()
		found = transferred{int64(perSecond * seconds), seconds}
		return nil
	})
	return found, err
}

// A tick is a line of the gauge.
type tick struct {
	at    time.Time // here
	bytes int64
	us    int64 // there
}

type gaugeReader struct {
	begun func()
	mutex sync.Mutex
	ticks []tick
}

func (reader *gaugeReader) readAll(conn *socket) error {
	lines := bufio.NewReader(conn)
	begun := sync.OnceFunc(reader.begun)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		one := tick{at: time.Now()}
		if _, err := fmt.Sscan(line, &one.bytes, &one.us); err != nil {
			return fmt.Errorf("read: %q is no tick", line)
		}
		reader.mutex.Lock()
		reader.ticks = append(reader.ticks, one)
		reader.mutex.Unlock()
		if one.bytes > 0 {
			begun()
		}
		if strings.HasSuffix(line, "end\n") {
			return nil
		}
	}
}

func (reader *gaugeReader) last() tick {
	reader.mutex.Lock()
	defer reader.mutex.Unlock()
	if len(reader.ticks) == 0 {
		return tick{}
	}
	return reader.ticks[len(reader.ticks)-1]
}

// rate is that between the first and the last tick that came in a time, in bytes per second.
func (reader *gaugeReader) rate(start, end time.Time) float64 {
	reader.mutex.Lock()
	defer reader.mutex.Unlock()
	var first, last tick
	for _, one := range reader.ticks {
		if first.at.IsZero() && one.at.After(start) {
			first = one
		}
		if one.at.Before(end) {
			last = one
		}
	}
	if last.us <= first.us {
		return 0
	}
	return float64(last.bytes-first.bytes) / float64(last.us-first.us) * 1e6
}

// A bulk is one kind of transfer without end.
type bulk struct {
	server netip.AddrPort
	// Goes on until the transfer has ended; says when the first byte has arrived.
	run func(conn *socket, begun func()) error
	// Asks for the end.
	stop func(conn *socket)
}

// whileTransferring does the work when all streams have begun and settled, then ends them. It answers the first failure.
func (job *load) whileTransferring(kind bulk, work func() error) error {
	conns := make(chan *socket, job.streams)
	begun := make(chan struct{}, job.streams)
	ended := make(chan error, job.streams)
	for range job.streams {
		go func() {
			conn, err := dialSocket(kind.server, job.patience)
			if err != nil {
				ended <- err
				return
			}
			conns <- conn
			err = kind.run(conn, func() { begun <- struct{}{} })
			conn.close()
			ended <- err
		}()
	}
	for range job.streams {
		select {
		case <-begun:
		case err := <-ended:
			return cmp.Or(err, errors.New("a transfer ended by itself"))
		}
	}
	time.Sleep(job.settle)
	err := work()
	return cmp.Or(err, job.endAll(kind, conns, ended))
}

func (job *load) endAll(kind bulk, conns <-chan *socket, ended <-chan error) (first error) {
	open := make([]*socket, job.streams)
	for i := range open {
		open[i] = <-conns
		kind.stop(open[i])
	}
	timeout := time.After(job.drain)
	for left := job.streams; left > 0; left-- {
		select {
		case err := <-ended:
			first = cmp.Or(first, err)
		case <-timeout:
			job.cut.Store(int64(left))
			for _, conn := range open {
				conn.cut()
			}
			for range left {
				<-ended
			}
			return first
		}
	}
	return first
}
