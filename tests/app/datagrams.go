package main

import (
	"log"
	"net"
	"net/netip"
)

func listenDatagrams(address string) (*net.UDPConn, error) {
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}

// serveDatagrams sends back what answer makes of each datagram; nothing for nil.
func serveDatagrams(address string, answer func(datagram []byte, from netip.AddrPort) []byte) error {
	conn, err := listenDatagrams(address)
	if err != nil {
		return err
	}
	buffer := make([]byte, 1<<16)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return err
		}
		back := answer(buffer[:n], from)
		if back == nil {
			continue
		}
		if _, err := conn.WriteToUDPAddrPort(back, from); err != nil {
			log.Printf("%s: %s: %v", address, from, err)
		}
	}
}
