package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// What protocols do at their edges, asked of one host:
//
//	app edges serve                        the ports of bench, and 5010 (scripts of TCP), 5006 (QUIC), 5007 and 5008 (ports of
//	                                       UDP) and 69 (TFTP)
//	app edges ask -host IP -nobody IP      prints an object of JSON: each case, and its outcome in a word or two
//	app edges flows -host IP -count N      as many flows of UDP, each a datagram and its echo; prints how many came back
//	app edges quic -host IP -size N        bytes by QUIC, down, and a tenth of them up; prints whether all came
//	app edges hold -host IP                a connection that is silent until a line comes on standard input; then it echoes it
//
// Outcomes name errors as the C library does, so that those of a pod and of a laptop can be compared.
func runEdges() error {
	command := setting("EDGES", "serve")
	if len(os.Args) > 2 {
		command = os.Args[2]
	}
	flags := flag.NewFlagSet("edges", flag.ExitOnError)
	host := flags.String("host", "", "`IP` of a pod that serves")
	nobody := flags.String("nobody", "", "`IP` that no pod has")
	only := flags.String("only", "", "`CASE`; all without")
	count := flags.Int("count", 1000, "flows")
	size := flags.Int64("size", 100<<20, "bytes by QUIC")
	if len(os.Args) > 3 {
		flags.Parse(os.Args[3:])
	}
	switch command {
	case "serve":
		return serveEdges()
	case "ask":
		return askEdges(*host, *nobody, *only)
	case "quic":
		return askQUIC(*host, *size)
	case "flows":
		return askFlows(*host, *count)
	case "hold":
		return hold(*host)
	}
	return fmt.Errorf("unknown: %s", command)
}

func serveEdges() error {
	failed := make(chan error)
	go func() { failed <- serveTCP(":5010", playPart) }()
	go func() { failed <- serveTCP(":5003", echo) }()
	go func() { failed <- echoDatagrams(":5005") }()
	go func() { failed <- serveQUIC(":5006") }()
	go func() { failed <- answerPorts(":5007") }()
	go func() { failed <- answerPorts(":5008") }()
	go func() { failed <- serveTFTP(":69") }()
	go func() { failed <- serveFiles(":5004") }()
	return <-failed
}

const edgeBulk = 48 << 20

// seenBy holds what the server's side of a case came to, by the case's name and the number that its client chose.
var seenBy sync.Map

// playPart reads "NAME NUMBER\n" in 32 bytes and plays the server's part of that case.
func playPart(conn *net.TCPConn) error {
	head := make([]byte, 32)
	if _, err := io.ReadFull(conn, head); err != nil {
		return err
	}
	key := strings.TrimSpace(string(head))
	name, _, _ := strings.Cut(key, " ")
	outcome := ""
	switch name {
	case "seen":
		_, wanted, _ := strings.Cut(key, " ")
		for range 100 {
			if seen, found := seenBy.LoadAndDelete(wanted); found {
				_, err := io.WriteString(conn, seen.(string))
				return err
			}
			time.Sleep(50 * time.Millisecond)
		}
		_, err := io.WriteString(conn, "nothing")
		return err
	case "reset":
		conn.Write(pattern[:1000])
		time.Sleep(100 * time.Millisecond)
		conn.SetLinger(0)
		return conn.Close()
	case "reset-by-client":
		_, err := io.Copy(io.Discard, conn)
		outcome = outcomeOf(err)
	case "half-by-client":
		digest, err := digestOf(conn)
		if err != nil {
			return err
		}
		_, err = io.WriteString(conn, digest)
		return err
	case "half-by-server":
		if err := conn.CloseWrite(); err != nil {
			return err
		}
		outcome, _ = digestOf(conn)
	case "both-at-once":
		conn.Write([]byte("now"))
		time.Sleep(200 * time.Millisecond)
		err := conn.CloseWrite()
		if err == nil {
			_, err = io.Copy(io.Discard, conn)
		}
		outcome = outcomeOf(err)
	case "zero-window":
		time.Sleep(1500 * time.Millisecond)
		digest, err := digestOf(conn)
		if err != nil {
			return err
		}
		_, err = io.WriteString(conn, digest)
		return err
	case "zero-window-of-client":
		return writeStream(conn, edgeBulk)
	}
	seenBy.Store(key, outcome)
	return nil
}

// outcomeOf names an error as the C library does.
func outcomeOf(err error) string {
	var number syscall.Errno
	var network net.Error
	switch {
	case err == nil:
		return "end"
	case errors.As(err, &number):
		return number.Error()
	case errors.As(err, &network) && network.Timeout():
		return "silence"
	}
	return err.Error()
}

func digestOf(from io.Reader) (string, error) {
	digest := sha256.New()
	_, err := io.Copy(digest, from)
	return hex.EncodeToString(digest.Sum(nil)), err
}

func hold(host string) error {
	conn, err := net.Dial("tcp", net.JoinHostPort(host, "5003"))
	if err != nil {
		return err
	}
	fmt.Println("open")
	line := make([]byte, 100)
	for {
		n, err := os.Stdin.Read(line)
		if err != nil {
			return nil
		}
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := conn.Write(line[:n]); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, line[:n]); err != nil {
			return err
		}
		fmt.Print(string(line[:n]))
	}
}
