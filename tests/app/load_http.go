package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// httpClient has connections of its own: HTTP/2 by prior knowledge is one, of HTTP/1 as many as requests at a time.
func (job *load) httpClient() *http.Client {
	transport := &http.Transport{
		MaxIdleConnsPerHost: job.streams,
		DisableKeepAlives:   job.fresh,
		DisableCompression:  true,
		Protocols:           new(http.Protocols),
	}
	transport.Protocols.SetHTTP1(!job.h2)
	transport.Protocols.SetUnencryptedHTTP2(job.h2)
	return &http.Client{Transport: transport}
}

// requests has each stream ask one request after the other, and takes the times of those that begin and end in the time.
func (job *load) requests() (any, error) {
	client := job.httpClient()
	defer client.CloseIdleConnections()
	begin := time.Now().Add(job.settle)
	end := begin.Add(job.duration)
	var mutex sync.Mutex
	var times []time.Duration
	var failure error
	var all sync.WaitGroup
	for range job.streams {
		all.Go(func() {
			for time.Now().Before(end) {
				start := time.Now()
				err := job.requestOnce(client)
				over := time.Now()
				mutex.Lock()
				if err != nil {
					failure = err
				} else if !start.Before(begin) && over.Before(end) {
					times = append(times, over.Sub(start))
				}
				mutex.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	all.Wait()
	if failure != nil {
		return nil, failure
	}
	return struct {
		timed
		PerSecond float64 `json:"perSecond"`
	}{summary(times), float64(len(times)) / job.duration.Seconds()}, nil
}

func (job *load) requestOnce(client *http.Client) error {
	ctx, cancel := context.WithTimeout(context.Background(), job.patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, job.url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer is %s", response.Status)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// fetch counts what answers bring; each stream asks again once it has one.
func (job *load) fetch() (any, error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	client := job.httpClient()
	defer client.CloseIdleConnections()
	failures := make(chan error, job.streams)
	var got atomic.Int64
	for range job.streams {
		go func() {
			for {
				if err := job.fetchOne(ctx, client, &got); err != nil {
					failures <- err
					return
				}
			}
		}()
	}
	time.Sleep(job.settle)
	start, before := time.Now(), got.Load()
	select {
	case err := <-failures:
		return nil, fmt.Errorf("it ended early: %w", err)
	case <-time.After(job.duration):
	}
	found := transferred{got.Load() - before, time.Since(start).Seconds()}
	if found.Bytes == 0 {
		return nil, fmt.Errorf("nothing came")
	}
	return found, nil
}

func (job *load) fetchOne(ctx context.Context, client *http.Client, got *atomic.Int64) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, job.url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	buffer := make([]byte, 1<<18)
	for {
		n, err := response.Body.Read(buffer)
		got.Add(int64(n))
		job.moved.Add(int64(n))
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
