package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
)

const elsewhereWord = "elsewhere"

// answerPorts answers each datagram with the port that it came from; one that says so from another port, which then tells
// what it hears.
func answerPorts(address string) error {
	return serveDatagrams(address, func(datagram []byte, from netip.AddrPort) []byte {
		if string(datagram) == elsewhereWord {
			go answerElsewhere(from)
			return nil
		}
		return fmt.Append(nil, from.Port())
	})
}

func answerElsewhere(to netip.AddrPort) {
	conn, err := listenDatagrams(":0")
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	conn.WriteToUDPAddrPort([]byte("here"), to)
	buffer := make([]byte, 100)
	n, from, err := conn.ReadFromUDPAddrPort(buffer)
	if err == nil {
		conn.WriteToUDPAddrPort(fmt.Appendf(nil, "heard %s", buffer[:n]), from)
	}
}

// fromAnotherPort tells what comes of a question that is answered from another port than it went to.
func fromAnotherPort(host string, port uint16) (string, error) {
	conn, err := listenDatagrams(":0")
	if err != nil {
		return "", err
	}
	defer conn.Close()
	asked := netip.AddrPortFrom(netip.MustParseAddr(host), port)
	ask := func(text string, to netip.AddrPort) (string, netip.AddrPort, error) {
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := conn.WriteToUDPAddrPort([]byte(text), to); err != nil {
			return "", to, err
		}
		buffer := make([]byte, 100)
		n, from, err := conn.ReadFromUDPAddrPort(buffer)
		return string(buffer[:n]), netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), err
	}
	first, from, err := ask(elsewhereWord, asked)
	if err != nil {
		return "", err
	}
	second, again, err := ask("you", from)
	where := "the same port"
	if from.Addr() == asked.Addr() && from.Port() != asked.Port() && again == from {
		where = "another port"
	}
	return fmt.Sprintf("%s, %s, from %s", first, second, where), err
}

// asOnePort tells whether two ports of a host see a socket at one port.
func asOnePort(host string, ports ...uint16) (string, error) {
	conn, err := listenDatagrams(":0")
	if err != nil {
		return "", err
	}
	defer conn.Close()
	seen := map[string]bool{}
	for _, port := range ports {
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		to := netip.AddrPortFrom(netip.MustParseAddr(host), port)
		if _, err := conn.WriteToUDPAddrPort([]byte("which port?"), to); err != nil {
			return "", err
		}
		buffer := make([]byte, 100)
		n, _, err := conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return "", err
		}
		seen[string(buffer[:n])] = true
	}
	return fmt.Sprintf("seen at %d", len(seen)), nil
}

const tftpBlock = 512

// serveTFTP gives who asks for any file the same 100,000 bytes of pattern, each from a port of its own (RFC 1350).
func serveTFTP(address string) error {
	return serveDatagrams(address, func(datagram []byte, from netip.AddrPort) []byte {
		if len(datagram) > 2 && binary.BigEndian.Uint16(datagram) == 1 { // RRQ
			go sendTFTP(from)
		}
		return nil
	})
}

func sendTFTP(to netip.AddrPort) {
	conn, err := listenDatagrams(":0")
	if err != nil {
		return
	}
	defer conn.Close()
	file := tftpFile()
	answer := make([]byte, 4)
	for block := 1; (block-1)*tftpBlock <= len(file); block++ {
		data := []byte{0, 3, byte(block >> 8), byte(block)}
		start := (block - 1) * tftpBlock
		data = append(data, file[start:min(start+tftpBlock, len(file))]...)
		heard := false
		for tries := 0; tries < 5 && !heard; tries++ {
			conn.WriteToUDPAddrPort(data, to)
			conn.SetDeadline(time.Now().Add(time.Second))
			n, from, err := conn.ReadFromUDPAddrPort(answer)
			heard = err == nil && n == 4 && from == to && answer[1] == 4 &&
				binary.BigEndian.Uint16(answer[2:]) == uint16(block)
		}
		if !heard {
			return
		}
	}
}

func tftpFile() []byte {
	file := make([]byte, 0, 100_000)
	for len(file) < cap(file) {
		file = append(file, pattern[:min(len(pattern), cap(file)-len(file))]...)
	}
	return file
}
