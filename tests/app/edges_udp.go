package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// echoed sends a datagram, again if need be, and compares what comes back.
func echoed(conn net.Conn, size int) error {
	buffer := make([]byte, 1<<16)
	var err error
	for range 5 {
		conn.SetDeadline(time.Now().Add(time.Second))
		if _, err = conn.Write(pattern[:size]); err != nil {
			return err
		}
		var n int
		if n, err = conn.Read(buffer); err == nil {
			if !bytes.Equal(buffer[:n], pattern[:size]) {
				return fmt.Errorf("%d octets came back as %d others", size, n)
			}
			return nil
		}
	}
	return err
}

// piecesOutOfOrder sends a datagram of 4000 octets as fragments, the last one first.
func piecesOutOfOrder(host string, port uint16) (string, error) {
	const length = 4000
	conn, err := net.Dial("udp4", net.JoinHostPort(host, fmt.Sprint(port)))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	from := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	to := netip.MustParseAddr(host)
	raw, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_RAW)
	if err != nil {
		return "", err
	}
	defer syscall.Close(raw)
	datagram := make([]byte, 8, 8+length)
	binary.BigEndian.PutUint16(datagram, from.Port())
	binary.BigEndian.PutUint16(datagram[2:], port)
	binary.BigEndian.PutUint16(datagram[4:], 8+length)
	datagram = append(datagram, pattern[:length]...) // without a checksum, as IPv4 allows
	buffer := make([]byte, 1<<16)
	for try := range 5 {
		for _, at := range []int{3600, 2400, 1200, 0} {
			end := min(at+1200, len(datagram))
			more := uint16(0x2000)
			if at == 3600 {
				end, more = len(datagram), 0
			}
			packet := make([]byte, 20, 20+end-at)
			packet[0], packet[8], packet[9] = 0x45, 64, syscall.IPPROTO_UDP
			binary.BigEndian.PutUint16(packet[2:], uint16(20+end-at))
			binary.BigEndian.PutUint16(packet[4:], uint16(0x7100+try))
			binary.BigEndian.PutUint16(packet[6:], more|uint16(at/8))
			source := from.Addr().As4()
			copy(packet[12:], source[:])
			destination := to.As4()
			copy(packet[16:], destination[:])
			packet = append(packet, datagram[at:end]...)
			if err := syscall.Sendto(raw, packet, 0, &syscall.SockaddrInet4{Addr: destination}); err != nil {
				return "", err
			}
		}
		conn.SetDeadline(time.Now().Add(time.Second))
		n, err := conn.Read(buffer)
		if err != nil {
			continue
		}
		return fmt.Sprintf("%d octets, equal %v", n, bytes.Equal(buffer[:n], pattern[:length])), nil
	}
	return "silence", nil
}

// askFlows opens flow after flow, some of them at a time.
func askFlows(host string, count int) error {
	const workers = 64
	next := make(chan int)
	var all sync.WaitGroup
	var back atomic.Int64
	for range workers {
		all.Go(func() {
			for range next {
				conn, err := net.Dial("udp", net.JoinHostPort(host, "5005"))
				if err != nil {
					log.Print(err)
					continue
				}
				if echoed(conn, 32) == nil {
					back.Add(1)
				}
				conn.Close()
			}
		})
	}
	for i := range count {
		next <- i
	}
	close(next)
	all.Wait()
	return json.NewEncoder(os.Stdout).Encode(map[string]int64{"asked": int64(count), "echoed": back.Load()})
}
