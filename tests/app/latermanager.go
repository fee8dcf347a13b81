package main

import (
	"crypto/rand"
	"encoding/binary"
	"io"
	"log"
	"net"
)

// greetAsLaterManager is a traffic-manager of a release far ahead: at the manager's place, 127.0.0.1:7410, it greets
// every carrier with protocol versions 7 to 9 and reads what comes until the other end leaves (tunnel/SPEC.md).
func greetAsLaterManager() error {
	listener, err := net.Listen("tcp", "127.0.0.1:7410")
	if err != nil {
		return err
	}
	for {
		carrier, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer carrier.Close()
			if _, err := carrier.Write(welcome(7, 9, "tp/9.9.9")); err != nil {
				log.Print(err)
				return
			}
			io.Copy(io.Discard, carrier)
		}()
	}
}

// welcome is a WELCOME frame.
func welcome(lowest, highest uint16, product string) []byte {
	body := []byte("tp/s")
	body = binary.BigEndian.AppendUint16(body, lowest)
	body = binary.BigEndian.AppendUint16(body, highest)
	body = append(body, byte(len(product)))
	body = append(body, product...)
	nonce := make([]byte, 32)
	rand.Read(nonce)
	body = append(body, nonce...)
	body = binary.BigEndian.AppendUint32(body, 1000) // streams that may be open
	body = append(body, 0)                           // no capabilities
	const welcomeType = 1
	frame := binary.BigEndian.AppendUint32(nil, welcomeType<<24|uint32(len(body)))
	frame = binary.BigEndian.AppendUint32(frame, 0) // the stream id: all are concerned
	return append(frame, body...)
}
