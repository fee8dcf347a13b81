package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// edgeCase is one thing that is asked; key names its part at the server.
type edgeCase struct {
	name string
	ask  func(key string) (string, error)
}

func askEdges(host, nobody, only string) error {
	at := func(port int) string { return net.JoinHostPort(host, fmt.Sprint(port)) }
	begin := func(key string) (*net.TCPConn, error) {
		conn, err := net.DialTimeout("tcp", at(5010), 10*time.Second)
		if err != nil {
			return nil, err
		}
		conn.SetDeadline(time.Now().Add(40 * time.Second))
		_, err = fmt.Fprintf(conn, "%-31s\n", key)
		return conn.(*net.TCPConn), err
	}
	seen := func(key string) (string, error) {
		conn, err := begin("seen " + key)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		text, err := io.ReadAll(conn)
		return string(text), err
	}
	var expected bytes.Buffer
	writeStream(&expected, 1<<20)
	v6 := strings.Contains(host, ":")
	cases := []edgeCase{
		{"closed port", func(string) (string, error) {
			_, err := net.DialTimeout("tcp", at(5009), 10*time.Second)
			return "", err
		}},
		{"nobody's address", func(string) (string, error) {
			_, err := net.DialTimeout("tcp", net.JoinHostPort(nobody, "5003"), 20*time.Second)
			return "", err
		}},
		{"reset", func(key string) (string, error) {
			conn, err := begin(key)
			if err != nil {
				return "", err
			}
			defer conn.Close()
			_, err = io.Copy(io.Discard, conn)
			return "", err
		}},
		{"reset-by-client", func(key string) (string, error) {
			conn, err := begin(key)
			if err != nil {
				return "", err
			}
			conn.Write(pattern[:1000])
			time.Sleep(300 * time.Millisecond)
			conn.SetLinger(0)
			conn.Close()
			return seen(key)
		}},
		{"half-by-client", func(key string) (string, error) {
			conn, err := begin(key)
			if err != nil {
				return "", err
			}
			defer conn.Close()
			conn.Write(expected.Bytes())
			conn.CloseWrite()
			answer, err := io.ReadAll(conn)
			return string(answer), err
		}},
		{"half-by-server", func(key string) (string, error) {
			conn, err := begin(key)
			if err != nil {
				return "", err
			}
			defer conn.Close()
			if _, err = io.Copy(io.Discard, conn); err != nil {
				return "", err
			}
			if _, err = conn.Write(expected.Bytes()); err != nil {
				return "", err
			}
			conn.CloseWrite()
			return seen(key)
		}},
		{"both-at-once", func(key string) (string, error) {
			conn, err := begin(key)
			if err != nil {
				return "", err
			}
			defer conn.Close()
			if _, err = io.ReadFull(conn, make([]byte, 3)); err != nil {
				return "", err
			}
			time.Sleep(200 * time.Millisecond)
			if err = conn.CloseWrite(); err == nil {
				_, err = io.Copy(io.Discard, conn)
			}
			other, failed := seen(key)
			return fmt.Sprintf("%s and %s", outcomeOf(err), other), failed
		}},
		{"zero-window", func(key string) (string, error) {
			conn, err := begin(key)
			if err != nil {
				return "", err
			}
			defer conn.Close()
			start := time.Now()
			if err = writeStream(conn, edgeBulk); err != nil {
				return "", err
			}
			stopped := time.Since(start) > time.Second
			conn.CloseWrite()
			digest, err := io.ReadAll(conn)
			return fmt.Sprintf("stopped %v, whole %v", stopped, string(digest) == streamDigest(edgeBulk)), err
		}},
		{"zero-window-of-client", func(key string) (string, error) {
			conn, err := begin(key)
			if err != nil {
				return "", err
			}
			defer conn.Close()
			time.Sleep(1500 * time.Millisecond)
			digest, err := digestOf(conn)
			return fmt.Sprintf("whole %v", digest == streamDigest(edgeBulk)), err
		}},
		{"UDP of all sizes", func(string) (string, error) {
			largest := 65_507
			if v6 {
				largest = 65_527
			}
			conn, err := net.Dial("udp", at(5005))
			if err != nil {
				return "", err
			}
			defer conn.Close()
			for _, size := range []int{0, 1, 1472, 1473, 9000, largest} {
				if err := echoed(conn, size); err != nil {
					return fmt.Sprint(size), err
				}
			}
			_, err = conn.Write(make([]byte, largest+1))
			return fmt.Sprintf("%d echoed, one more: %s", largest, outcomeOf(err)), nil
		}},
		{"UDP in pieces out of order", func(string) (string, error) {
			if v6 {
				return "IPv4 only", nil
			}
			return piecesOutOfOrder(host, 5005)
		}},
		{"UDP from another port", func(string) (string, error) {
			return fromAnotherPort(host, 5007)
		}},
		{"UDP from one port", func(string) (string, error) {
			return asOnePort(host, 5007, 5008)
		}},
		{"closed UDP port", func(string) (string, error) {
			conn, err := net.Dial("udp", at(5009))
			if err != nil {
				return "", err
			}
			defer conn.Close()
			// Twice: the socket may be used on.
			told := ""
			for range 2 {
				conn.SetDeadline(time.Now().Add(3 * time.Second))
				conn.Write([]byte("anyone?"))
				_, err = conn.Read(make([]byte, 10))
				told += outcomeOf(err) + " "
				time.Sleep(1100 * time.Millisecond) // a kernel tells one host this once a second
			}
			return strings.TrimSpace(told), nil
		}},
		{"UDP to nobody's address", func(string) (string, error) {
			conn, err := net.Dial("udp", net.JoinHostPort(nobody, "5005"))
			if err != nil {
				return "", err
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(5 * time.Second))
			conn.Write([]byte("anyone?"))
			_, err = conn.Read(make([]byte, 10))
			return "", err
		}},
	}
	outcomes := map[string]string{}
	var lock sync.Mutex
	var all sync.WaitGroup
	number := time.Now().UnixNano() % 1e6
	for _, one := range cases {
		if only != "" && only != one.name {
			continue
		}
		all.Go(func() {
			outcome, err := one.ask(fmt.Sprintf("%s %d", one.name, number))
			if err != nil {
				outcome = strings.TrimSpace(outcome + " " + outcomeOf(err))
			}
			lock.Lock()
			outcomes[one.name] = outcome
			lock.Unlock()
		})
	}
	all.Wait()
	return json.NewEncoder(os.Stdout).Encode(outcomes)
}
