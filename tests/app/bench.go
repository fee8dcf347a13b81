package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
)

// The servers that tests and benchmarks talk to, each on a port of its own:
//
//	5001 sink    reads to the end, answers "<bytes>\n"
//	5002 source  reads "<bytes>\n", answers with so many bytes of the stream
//	5003 echo    TCP, sends back what it gets; an end of one side is an end of the other
//	5004 files   HTTP: GET /bytes/N, PUT /, GET /who
//	5005 echo    UDP
//	5007 flood   TCP, sends without end until anything comes (bench_bulk.go)
//	5008 gauge   TCP, tells how much has come while it comes (bench_bulk.go)
func serveBench() error {
	failed := make(chan error)
	for address, handle := range map[string]func(*net.TCPConn) error{
		":5001": sink,
		":5002": source,
		":5003": echo,
		":5007": flood,
		":5008": gauge,
	} {
		go func() { failed <- serveTCP(address, handle) }()
	}
	go func() { failed <- echoDatagrams(":5005") }()
	go func() { failed <- serveFiles(":5004") }()
	return <-failed
}

func serveTCP(address string, handle func(*net.TCPConn) error) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			if err := handle(conn.(*net.TCPConn)); err != nil {
				log.Printf("%s: %s: %v", address, conn.RemoteAddr(), err)
			}
		}()
	}
}

func sink(conn *net.TCPConn) error {
	buffer := make([]byte, 1<<20)
	var total int64
	for {
		n, err := conn.Read(buffer)
		total += int64(n)
		if err == io.EOF {
			_, err = fmt.Fprintln(conn, total)
			return err
		}
		if err != nil {
			return err
		}
	}
}

func source(conn *net.TCPConn) error {
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	size, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil {
		return err
	}
	return writeStream(conn, size)
}

func echo(conn *net.TCPConn) error {
	buffer := make([]byte, 256<<10)
	for {
		n, err := conn.Read(buffer)
		if _, failed := conn.Write(buffer[:n]); failed != nil {
			return failed
		}
		if err == io.EOF {
			return conn.CloseWrite()
		}
		if err != nil {
			return err
		}
	}
}

func echoDatagrams(address string) error {
	return serveDatagrams(address, func(datagram []byte, _ netip.AddrPort) []byte {
		return datagram
	})
}

func serveFiles(address string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /bytes/{size}", func(w http.ResponseWriter, r *http.Request) {
		size, err := strconv.ParseInt(r.PathValue("size"), 10, 64)
		if err != nil || size < 0 {
			http.Error(w, "expected /bytes/N", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		w.Header().Set("X-Sha256", streamDigest(size))
		writeStream(w, size)
	})
	mux.HandleFunc("PUT /", func(w http.ResponseWriter, r *http.Request) {
		digest := sha256.New()
		size, err := io.CopyBuffer(digest, r.Body, make([]byte, 1<<20))
		if err != nil {
			log.Print(err)
			return
		}
		writeJSON(w, map[string]any{"bytes": size, "sha256": hex.EncodeToString(digest.Sum(nil))})
	})
	mux.HandleFunc("GET /who", func(w http.ResponseWriter, r *http.Request) {
		name, _ := os.Hostname()
		writeJSON(w, map[string]any{"pod": name, "from": r.RemoteAddr, "host": r.Host, "headers": r.Header})
	})
	return serve("files", address, mux)
}

// writeStream writes the first size bytes of the stream: blocks of 1 MiB that differ in the eight
// bytes that count them, so that a lost, doubled or misplaced block changes the digest.
func writeStream(w io.Writer, size int64) error {
	block := make([]byte, min(size, int64(len(pattern))))
	copy(block, pattern)
	for index := uint64(0); size > 0; index++ {
		for i := range min(8, len(block)) {
			block[i] = byte(index >> (56 - 8*i))
		}
		part := block[:min(size, int64(len(block)))]
		if _, err := w.Write(part); err != nil {
			return err
		}
		size -= int64(len(part))
	}
	return nil
}

// pattern is one block of bytes without a short period (xorshift64).
var pattern = func() []byte {
	block := make([]byte, 1<<20)
	state := uint64(0x9e3779b97f4a7c15)
	for i := range block {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		block[i] = byte(state)
	}
	return block
}()

var digests sync.Map // of streams, by their size in bytes

func streamDigest(size int64) string {
	if known, found := digests.Load(size); found {
		return known.(string)
	}
	digest := sha256.New()
	writeStream(digest, size)
	text := hex.EncodeToString(digest.Sum(nil))
	digests.Store(size, text)
	return text
}
