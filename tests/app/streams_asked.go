package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"
)

// brokenPatience is how long a server may take to learn that a stream is over.
const brokenPatience = 5 * time.Second

// ask resolves to an answer that nobody has read; it ends with the context.
func (job *streamsClient) ask(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+job.httpAddress+path, body)
	if err != nil {
		return nil, err
	}
	if job.header.name != "" {
		request.Header.Set(job.header.name, job.header.value)
	}
	answer, err := job.client.Do(request)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s", method, path, answer.Status)
	}
	return answer, err
}

func (job *streamsClient) wholeAnswer(ctx context.Context, path string) ([]byte, error) {
	answer, err := job.ask(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return io.ReadAll(answer.Body)
}

// newFlow is a name that no other stream has, see flow.
func newFlow() string { return fmt.Sprintf("%016x", rand.Uint64()) }

func (job *streamsClient) flow(ctx context.Context, name string) (told flowTold, err error) {
	text, err := job.wholeAnswer(ctx, "/flow/"+name)
	if err == nil {
		err = json.Unmarshal(text, &told)
	}
	return told, err
}

// broken waits until the stream's server has seen its end; what it saw, or nothing when it has not.
func (job *streamsClient) broken(ctx context.Context, name string) (string, error) {
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		told, err := job.flow(ctx, name)
		if err != nil || told.Broken != "" || time.Since(begin) > brokenPatience {
			return told.Broken, err
		}
	}
}

// countedReader counts what was read.
type countedReader struct {
	io.Reader
	count atomic.Int64
}

func (r *countedReader) Read(part []byte) (int, error) {
	n, err := r.Reader.Read(part)
	r.count.Add(int64(n))
	return n, err
}
