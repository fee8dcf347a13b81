package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// Bulk transfers of no size: they end when the one who loads says so. Their bytes are blocks of this size, whose first
// byte is 0 in the last one: no transfer is cut, and its end is seen on a way that passes no end of one side on, as
// port-forwarding by containerd.
const blockBytes = 64 << 10

// How often the gauge tells.
const tickTime = 20 * time.Millisecond

// flood sends blocks until anything comes.
func flood(conn *net.TCPConn) error {
	var isOver atomic.Bool
	go func() {
		conn.Read(make([]byte, 1))
		isOver.Store(true)
	}()
	return cmp.Or(writeBlocks(conn, &isOver), awaitEnd(conn))
}

// gauge reads blocks and tells how many bytes have come, "<bytes> <microseconds since the first>\n" every tick; the last
// line is "<bytes> <microseconds> end\n".
func gauge(conn *net.TCPConn) error {
	var total atomic.Int64
	over := make(chan struct{})
	told := make(chan error, 1)
	err := readBlocks(conn, func(n int) {
		if total.Add(int64(n)) == int64(n) {
			go func() { told <- tellTicks(conn, &total, over) }()
		}
	})
	close(over)
	if total.Load() > 0 {
		err = cmp.Or(err, <-told)
	}
	return cmp.Or(err, awaitEnd(conn))
}

func tellTicks(to io.Writer, total *atomic.Int64, over <-chan struct{}) error {
	begin := time.Now()
	ticker := time.NewTicker(tickTime)
	defer ticker.Stop()
	for {
		mark := ""
		select {
		case <-over:
			mark = " end"
		case <-ticker.C:
		}
		us := time.Since(begin).Microseconds()
		if _, err := fmt.Fprintf(to, "%d %d%s\n", total.Load(), us, mark); err != nil || mark != "" {
			return err
		}
	}
}

// writeBlocks writes some blocks at a time until it is over, then the last one.
func writeBlocks(to io.Writer, isOver *atomic.Bool) error {
	blocks := bytes.Repeat(pattern[:blockBytes], 4)
	for at := 0; at < len(blocks); at += blockBytes {
		blocks[at] = 1
	}
	for !isOver.Load() {
		if _, err := to.Write(blocks); err != nil {
			return err
		}
	}
	blocks[0] = 0
	_, err := to.Write(blocks[:blockBytes])
	return err
}

// readBlocks reads to the end of the last block and says how many bytes it got each time.
func readBlocks(from io.Reader, got func(n int)) error {
	buffer := make([]byte, 4*blockBytes)
	for at := 0; ; {
		n, err := from.Read(buffer[at:])
		if n > 0 {
			got(n)
		}
		// A block is judged when it is whole.
		for end := (at/blockBytes + 1) * blockBytes; end <= at+n; end += blockBytes {
			if buffer[end-blockBytes] == 0 {
				return nil
			}
		}
		if err != nil {
			return err
		}
		at = (at + n) % len(buffer)
	}
}

// awaitEnd lets the one who loads close first.
func awaitEnd(conn *net.TCPConn) error {
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	io.Copy(io.Discard, conn)
	return nil
}
