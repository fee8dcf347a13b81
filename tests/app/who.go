package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/websocket"
)

// The program that tests of intercepts deploy, and run on laptops in its place. Whatever it is asked, it tells who
// answered: the environment variable WHO, else the host's name. An empty address leaves a server out.
//
//	app who [-http :8080] [-grpc :9090] [-udp :5005] [-tcp :7000] [-tls ""]
//
//	http  HTTP/1.1 and HTTP/2 by prior knowledge, see whoHandler
//	grpc  tp.test.Who and the health service (who_grpc.go)
//	udp   answers "WHO <datagram>"
//	tcp   speaks first, "WHO\n", then echoes
//	tls   HTTP/1.1 and HTTP/2 as on http, with a certificate of its own (who_tls.go)
func serveEverythingWho() error {
	flags := flag.NewFlagSet("who", flag.ExitOnError)
	httpAddress := flags.String("http", ":8080", "`ADDRESS`")
	grpcAddress := flags.String("grpc", ":9090", "`ADDRESS`")
	udpAddress := flags.String("udp", ":5005", "`ADDRESS`")
	tcpAddress := flags.String("tcp", ":7000", "`ADDRESS`")
	tlsAddress := flags.String("tls", "", "`ADDRESS`")
	flags.Parse(os.Args[2:])
	go leaveInTime()
	failed := make(chan error)
	if *httpAddress != "" {
		go func() { failed <- serveWho(*httpAddress) }()
	}
	if *grpcAddress != "" {
		go func() { failed <- serveWhoGRPC(*grpcAddress) }()
	}
	if *udpAddress != "" {
		go func() { failed <- answerDatagrams(*udpAddress) }()
	}
	if *tcpAddress != "" {
		go func() { failed <- serveTCP(*tcpAddress, greetAndEcho) }()
	}
	if *tlsAddress != "" {
		go func() { failed <- serveWhoTLS(*tlsAddress) }()
	}
	if err := <-failed; err != nil {
		return err
	}
	select {} // a server that was told to stop
}

var who = func() string {
	name, _ := os.Hostname()
	return setting("WHO", name)
}()

// seen is what came of a request.
type seen struct {
	Who      string      `json:"who"`
	Method   string      `json:"method"`
	Path     string      `json:"path"`
	Protocol string      `json:"protocol"`
	Host     string      `json:"host"`
	From     string      `json:"from"`
	Headers  http.Header `json:"headers"`
	Trailers http.Header `json:"trailers,omitempty"`
	Length   int64       `json:"length"`
	Sha256   string      `json:"sha256"`
}

// whoHandler answers every path with what it has seen, as JSON and with a header x-who, but for these:
//
//	/sse?count=N&every=MS  events "WHO N", numbered from 0
//	/ws                    a WebSocket: a message WHO, then what comes
//	/trailers              the body as it came, then trailers x-who and x-sha256
//	/slow?ms=N             as any other, but later
//	/hints                 103 before it
//	/bytes/N               a stream of N bytes, its digest in x-sha256
//	/take/N                reads N bytes of the body, answers, and reads on when the client has gone
//	/flow/NAME             how far the stream came that its client named so, see flow
//	/status/N              that status
//	/reset                 breaks off in the body
//	/certificate           the SHA-256 of the certificate of -tls, in hexadecimal digits
//	/requests              the last requests of all, without this kind: "METHOD URI" in JSON
//
// With the environment variable STATUS all are answered that status, and nothing else.
func whoHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", tellSeen)
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		if sleep(r.Context(), number(r.FormValue("ms"), 1000)) == nil {
			tellSeen(w, r)
		}
	})
	mux.HandleFunc("/hints", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		tellSeen(w, r)
	})
	mux.HandleFunc("/requests", func(w http.ResponseWriter, r *http.Request) {
		noted.Lock()
		defer noted.Unlock()
		writeJSON(w, noted.requests)
	})
	mux.HandleFunc("/certificate", tellCertificate)
	mux.HandleFunc("/sse", sendEvents)
	mux.Handle("/ws", websocket.Server{Handler: echoMessages})
	mux.HandleFunc("/trailers", echoWithTrailers)
	mux.HandleFunc("/status/{status}", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(number(r.PathValue("status"), http.StatusTeapot))
	})
	mux.HandleFunc("/bytes/{size}", func(w http.ResponseWriter, r *http.Request) {
		size := int64(number(r.PathValue("size"), 0))
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		w.Header().Set("X-Sha256", streamDigest(size))
		flow := flowNamed(r.FormValue("flow"))
		if err := writeStream(countedWriter{w, flow}, size); err != nil {
			flow.brokenBy(err)
		}
	})
	mux.HandleFunc("/take/{size}", takePart)
	mux.HandleFunc("/flow/{name}", tellFlow)
	mux.HandleFunc("/reset", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "more follows")
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Who", who)
		noteRequest(r)
		if status := number(os.Getenv("STATUS"), 0); status > 0 {
			w.WriteHeader(status)
			return
		}
		if leaving.Load() {
			w.Header().Set("Connection", "close")
		}
		mux.ServeHTTP(w, r)
	})
}

func serveWho(address string) error {
	log.Printf("%s answers http on %s", who, address)
	server := http.Server{Addr: address, Handler: whoHandler(), Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	// A handler that does not read holds up no other.
	server.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerConnection: 64 << 20, MaxReceiveBufferPerStream: 256 << 10}
	return server.ListenAndServe()
}

var noted struct {
	sync.Mutex
	requests []string
}

func noteRequest(r *http.Request) {
	if r.URL.Path == "/requests" || r.URL.Path == "/healthz" {
		return
	}
	noted.Lock()
	defer noted.Unlock()
	noted.requests = append(noted.requests, r.Method+" "+r.RequestURI)
	if len(noted.requests) > 1000 {
		noted.requests = slices.Clone(noted.requests[500:])
	}
}

// leaving is true from SIGTERM on: clients are asked to come back by another connection.
var leaving atomic.Bool

// leaveInTime serves on for as long as new connections may come, DRAIN milliseconds, when it is told to end.
func leaveInTime() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	<-told
	leaving.Store(true)
	time.Sleep(time.Duration(number(os.Getenv("DRAIN"), 0)) * time.Millisecond)
	if calls != nil {
		time.AfterFunc(time.Second, func() { os.Exit(0) })
		calls.GracefulStop()
	}
	os.Exit(0)
}

func tellSeen(w http.ResponseWriter, r *http.Request) {
	digest := sha256.New()
	length, err := io.Copy(digest, r.Body)
	if err != nil {
		log.Print(err)
		panic(http.ErrAbortHandler)
	}
	writeJSON(w, seen{
		Who: who, Method: r.Method, Path: r.URL.RequestURI(), Protocol: r.Proto, Host: r.Host, From: r.RemoteAddr,
		Headers: r.Header, Trailers: r.Trailer, Length: length, Sha256: hex.EncodeToString(digest.Sum(nil)),
	})
}

func sendEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for i := range number(r.FormValue("count"), 5) {
		if i > 0 && sleep(r.Context(), number(r.FormValue("every"), 100)) != nil {
			return
		}
		fmt.Fprintf(w, "id: %d\ndata: %s %d\n\n", i, who, i)
		http.NewResponseController(w).Flush()
	}
}

func echoMessages(conn *websocket.Conn) {
	if websocket.Message.Send(conn, who) != nil {
		return
	}
	for {
		var message string
		if websocket.Message.Receive(conn, &message) != nil || websocket.Message.Send(conn, message) != nil {
			return
		}
	}
}

func echoWithTrailers(w http.ResponseWriter, r *http.Request) {
	controller := http.NewResponseController(w)
	controller.EnableFullDuplex()
	w.Header().Set("Trailer", "X-Who, X-Sha256")
	w.WriteHeader(http.StatusOK)
	controller.Flush()
	digest := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w, digest), r.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("X-Sha256", hex.EncodeToString(digest.Sum(nil)))
}

func answerDatagrams(address string) error {
	return serveDatagrams(address, func(datagram []byte, _ netip.AddrPort) []byte {
		return append([]byte(who+" "), datagram...)
	})
}

func greetAndEcho(conn *net.TCPConn) error {
	if _, err := fmt.Fprintln(conn, who); err != nil {
		return err
	}
	_, err := io.Copy(conn, conn)
	return err
}

// number is a text's, or what it is without.
func number(text string, otherwise int) int {
	if value, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && value >= 0 {
		return value
	}
	return otherwise
}

func sleep(ctx context.Context, milliseconds int) error {
	select {
	case <-time.After(time.Duration(milliseconds) * time.Millisecond):
		return nil
	case <-ctx.Done():
		return errors.New("nobody waits for it")
	}
}
