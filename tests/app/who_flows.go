package main

import (
	"context"
	"io"
	"net/http"
	"sync"

	"google.golang.org/grpc/metadata"
)

// flow is how far one stream came, as its server knows it. A client names it: in the query of /bytes and /take, as flow,
// or in the metadata of a chat, as x-flow. /flow/NAME tells it.
type flow struct {
	mutex sync.Mutex
	told  flowTold
}

type flowTold struct {
	Sent     int64 `json:"sent"`
	Received int64 `json:"received"`
	// What the server was told when the stream ended before its time.
	Broken string `json:"broken"`
}

var flows sync.Map // of *flow, by name

func flowNamed(name string) *flow {
	found, _ := flows.LoadOrStore(name, &flow{})
	return found.(*flow)
}

func flowOfChat(ctx context.Context) *flow {
	came, _ := metadata.FromIncomingContext(ctx)
	if named := came.Get("x-flow"); len(named) == 1 {
		return flowNamed(named[0])
	}
	return &flow{}
}

func (f *flow) change(change func(*flowTold)) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	change(&f.told)
}

func (f *flow) brokenBy(err error) {
	f.change(func(told *flowTold) { told.Broken = err.Error() })
}

// countedWriter counts what the writer has taken.
type countedWriter struct {
	io.Writer
	flow *flow
}

func (w countedWriter) Write(part []byte) (int, error) {
	// Small parts: of one that waits nothing is counted.
	for done := 0; done < len(part); {
		n, err := w.Writer.Write(part[done:min(len(part), done+16<<10)])
		done += n
		w.flow.change(func(told *flowTold) { told.Sent += int64(n) })
		if err != nil {
			return done, err
		}
	}
	return len(part), nil
}

func tellFlow(w http.ResponseWriter, r *http.Request) {
	flowNamed(r.PathValue("name")).change(func(told *flowTold) { writeJSON(w, told) })
}

// takePart reads no more of the body than it was asked for, and waits for the client to go.
func takePart(w http.ResponseWriter, r *http.Request) {
	flow := flowNamed(r.FormValue("flow"))
	n, err := io.CopyN(io.Discard, r.Body, int64(number(r.PathValue("size"), 0)))
	flow.change(func(told *flowTold) { told.Received = n })
	http.NewResponseController(w).Flush()
	if err == nil {
		<-r.Context().Done()
		_, err = io.Copy(io.Discard, r.Body)
	}
	if err != nil {
		flow.brokenBy(err)
	}
}
