package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The client of who.go for what one stream of HTTP/2 does to others: it breaks streams off, has them broken off, does not
// read some, and prints what both sides saw of it (streamsTold).
//
//	app streams -http HOST:PORT -grpc HOST:PORT [-header 'NAME: VALUE']
type streamsClient struct {
	httpAddress, grpcAddress string
	header                   variant
	client                   *http.Client
	told                     streamsTold
}

type streamsTold struct {
	// Who answered by HTTP.
	Who string `json:"who"`
	// Connections of all but the frames that are sent by hand.
	Connections int `json:"connections"`
	// What its server saw of a chat that its client cancelled.
	CancelledChat string `json:"cancelledChat"`
	// What the client saw of a chat that its server ended early.
	RefusedChat string `json:"refusedChat"`
	// What its server saw of a request that its client reset with ENHANCE_YOUR_CALM.
	ResetByClient string `json:"resetByClient"`
	// What the client saw of an answer that its server broke off.
	ResetByServer string `json:"resetByServer"`
	// Octets that came of an answer: with a window of windowOctets, after moreOctets were allowed, and of another stream.
	Window [3]int `json:"window"`
	// Of answers that nobody reads: octets that the server could send; of requests that nobody reads: the client.
	HeldAnswers  []int64 `json:"heldAnswers"`
	HeldRequests []int64 `json:"heldRequests"`
	// Of requests beside them on the connection.
	SlowestMs int64 `json:"slowestMs"`
	// Of an answer beside them, whether it came whole.
	Bulk bool `json:"bulk"`
	// What servers saw of those that were held, when their client went.
	Released []string `json:"released"`
}

const (
	windowOctets = 1000
	moreOctets   = 500
	heldStreams  = 8
	heldOctets   = 64 << 20
	bulkOctets   = 16 << 20
	asideAsked   = 100
	// What is not sent in this time is not sent.
	streamsSilence = 500 * time.Millisecond
)

func runStreams() error {
	var job streamsClient
	var header string
	flags := flag.NewFlagSet("streams", flag.ExitOnError)
	flags.StringVar(&job.httpAddress, "http", "", "`ADDRESS`")
	flags.StringVar(&job.grpcAddress, "grpc", "", "`ADDRESS`")
	flags.StringVar(&header, "header", "", "of each request")
	flags.Parse(os.Args[2:])
	name, value, _ := strings.Cut(header, ":")
	job.header = variant{name: strings.ToLower(strings.TrimSpace(name)), value: strings.TrimSpace(value)}
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	job.client = &http.Client{Transport: &http.Transport{
		Protocols:          protocols,
		DisableCompression: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			job.told.Connections++
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for i, step := range []func(context.Context) error{job.resets, job.chats, job.window, job.held} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(job.told)
}

// resets has a request reset by each side.
func (job *streamsClient) resets(ctx context.Context) error {
	answer, err := job.ask(ctx, "GET", "/status/200", nil)
	if err != nil {
		return err
	}
	job.told.Who = answer.Header.Get("X-Who")
	// Of what came before the reset nothing need arrive.
	if answer, err = job.ask(ctx, "GET", "/reset", nil); err == nil {
		_, err = io.Copy(io.Discard, answer.Body)
	}
	job.told.ResetByServer = fmt.Sprint(err)

	raw, err := openRawH2(ctx, job.httpAddress, windowOctets)
	if err != nil {
		return err
	}
	defer raw.conn.Close()
	name := newFlow()
	if err := raw.request(1, "POST", "/take/4?flow="+name, job.header, []byte("four")); err != nil {
		return err
	}
	if err := raw.read(5*time.Second, func() bool { return raw.answered[1] }); err != nil {
		return err
	}
	if err := raw.framer.WriteRSTStream(1, http2.ErrCodeEnhanceYourCalm); err != nil {
		return err
	}
	job.told.ResetByClient, err = job.broken(ctx, name)
	return err
}

// chats has a chat of gRPC ended early by each side.
func (job *streamsClient) chats(ctx context.Context) error {
	conn, err := grpc.NewClient(
		"passthrough:///"+job.grpcAddress, grpc.WithTransportCredentials(insecure.NewCredentials()),
	)
	if err != nil {
		return err
	}
	defer conn.Close()
	if job.header.name != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, job.header.name, job.header.value)
	}
	begun := func(ctx context.Context, words ...string) (grpc.ClientStream, error) {
		description := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
		stream, err := conn.NewStream(ctx, description, "/tp.test.Who/Chat")
		for _, word := range words {
			if err == nil {
				err = stream.SendMsg(wrapperspb.String(word))
			}
		}
		if err == nil {
			err = stream.RecvMsg(&wrapperspb.StringValue{})
		}
		return stream, err
	}
	name := newFlow()
	cancelled, cancel := context.WithCancel(metadata.AppendToOutgoingContext(ctx, "x-flow", name))
	defer cancel()
	if _, err := begun(cancelled, "hello"); err != nil {
		return err
	}
	cancel()
	if job.told.CancelledChat, err = job.broken(ctx, name); err != nil {
		return err
	}
	refused, err := begun(ctx, "hello", "refuse")
	if err != nil {
		return err
	}
	err = refused.RecvMsg(&wrapperspb.StringValue{})
	job.told.RefusedChat = fmt.Sprint(status.Code(err), " ", refused.Trailer().Get("x-who-trailer"))
	return nil
}

// window sees to it that no octet comes that was not allowed, and all that were.
func (job *streamsClient) window(ctx context.Context) error {
	raw, err := openRawH2(ctx, job.httpAddress, windowOctets)
	if err != nil {
		return err
	}
	defer raw.conn.Close()
	never := func() bool { return false }
	for _, id := range []uint32{1, 3} {
		err = errors.Join(err, raw.request(id, "GET", "/bytes/100000", job.header, nil))
	}
	err = errors.Join(err, raw.read(streamsSilence, never))
	job.told.Window[0] = raw.received[1]
	err = errors.Join(err, raw.framer.WriteWindowUpdate(1, moreOctets), raw.read(streamsSilence, never))
	job.told.Window[1], job.told.Window[2] = raw.received[1], raw.received[3]
	return err
}

// held leaves answers and requests unread, asks others meanwhile on the same connection, and goes.
func (job *streamsClient) held(ctx context.Context) error {
	holding, release := context.WithCancel(ctx)
	defer release()
	var names []string
	var uploads []*countedReader
	for range heldStreams {
		name := newFlow()
		names = append(names, name)
		if _, err := job.ask(holding, "GET", fmt.Sprintf("/bytes/%d?flow=%s", heldOctets, name), nil); err != nil {
			return err
		}
	}
	for range heldStreams {
		name := newFlow()
		names = append(names, name)
		upload := &countedReader{Reader: streamReader(heldOctets)}
		uploads = append(uploads, upload)
		if _, err := job.ask(holding, "POST", "/take/4?flow="+name, upload); err != nil {
			return err
		}
	}
	for range asideAsked {
		sent := time.Now()
		if _, err := job.wholeAnswer(ctx, "/who"); err != nil {
			return err
		}
		job.told.SlowestMs = max(job.told.SlowestMs, time.Since(sent).Milliseconds())
	}
	bulk, err := job.wholeAnswer(ctx, fmt.Sprintf("/bytes/%d", bulkOctets))
	if err != nil {
		return err
	}
	digest := sha256.Sum256(bulk)
	job.told.Bulk = hex.EncodeToString(digest[:]) == streamDigest(bulkOctets)
	time.Sleep(streamsSilence)
	for _, name := range names[:heldStreams] {
		told, err := job.flow(ctx, name)
		if err != nil {
			return err
		}
		job.told.HeldAnswers = append(job.told.HeldAnswers, told.Sent)
	}
	for _, upload := range uploads {
		job.told.HeldRequests = append(job.told.HeldRequests, upload.count.Load())
	}
	release()
	for _, name := range names {
		broken, err := job.broken(ctx, name)
		if err != nil {
			return err
		}
		job.told.Released = append(job.told.Released, broken)
	}
	return nil
}
