package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// socket is a TCP connection of the load tool: blocking system calls, so that a round trip holds no poller's wake-up,
// each of which ends after the patience.
type socket struct {
	fd       int
	patience time.Duration

	closing sync.Mutex
	closed  bool
}

func dialSocket(address netip.AddrPort, patience time.Duration) (*socket, error) {
	family, to := syscall.AF_INET, syscall.Sockaddr(&syscall.SockaddrInet4{
		Port: int(address.Port()),
	})
	if address.Addr().Is4() {
		to.(*syscall.SockaddrInet4).Addr = address.Addr().As4()
	} else {
		family = syscall.AF_INET6
		to = &syscall.SockaddrInet6{Port: int(address.Port()), Addr: address.Addr().As16()}
	}
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	timeout := syscall.NsecToTimeval(patience.Nanoseconds())
	err = errors.Join(
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &timeout),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &timeout),
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1),
	)
	if err == nil {
		err = again(func() error { return syscall.Connect(fd, to) })
	}
	conn := &socket{fd: fd, patience: patience}
	if err != nil {
		conn.close()
		return nil, conn.explain("connect to "+address.String(), err)
	}
	return conn, nil
}

// Read is io.Reader's: at least one byte, or the end.
func (conn *socket) Read(buffer []byte) (n int, err error) {
	err = again(func() (err error) {
		n, err = syscall.Read(conn.fd, buffer)
		return err
	})
	if err != nil {
		return 0, conn.explain("read", err)
	}
	if n == 0 && len(buffer) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (conn *socket) Write(bytes []byte) (written int, err error) {
	for written < len(bytes) {
		var n int
		err = again(func() (err error) {
			n, err = syscall.Write(conn.fd, bytes[written:])
			return err
		})
		if err != nil {
			return written, conn.explain("write", err)
		}
		written += n
	}
	return written, nil
}

// close is for the one who reads and writes, when done.
func (conn *socket) close() {
	conn.closing.Lock()
	defer conn.closing.Unlock()
	conn.closed = true
	syscall.Close(conn.fd)
}

// cut is for another one: what reads and writes fails, and what is on the way is thrown away.
func (conn *socket) cut() {
	conn.closing.Lock()
	defer conn.closing.Unlock()
	if conn.closed {
		return
	}
	syscall.SetsockoptLinger(conn.fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
	syscall.Shutdown(conn.fd, syscall.SHUT_RDWR)
}

func (conn *socket) explain(what string, err error) error {
	// What a blocking socket answers when SO_RCVTIMEO or SO_SNDTIMEO is over; connect says the second.
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINPROGRESS) {
		return fmt.Errorf("%s: hangs: nothing for %v", what, conn.patience)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// again repeats a system call that a signal of the Go runtime has cut short.
func again(call func() error) error {
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}
