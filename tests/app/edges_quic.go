package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"os"
	"time"

	"github.com/quic-go/quic-go"
)

const quicProtocol = "tp-test"

// serveQUIC answers "BYTES\n" in 32 octets on a stream with so many of the stream's octets; then it reads as many, and
// answers their digest.
func serveQUIC(address string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	listener, err := quic.ListenAddr(address, &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}},
		NextProtos:   []string{quicProtocol},
	}, nil)
	if err != nil {
		return err
	}
	for {
		conn, err := listener.Accept(context.Background())
		if err != nil {
			return err
		}
		go func() {
			for {
				stream, err := conn.AcceptStream(context.Background())
				if err != nil {
					return
				}
				go func() {
					if err := answerQUIC(stream); err != nil {
						log.Printf("quic: %v", err)
					}
				}()
			}
		}()
	}
}

func answerQUIC(stream *quic.Stream) error {
	head := make([]byte, 32)
	if _, err := io.ReadFull(stream, head); err != nil {
		return err
	}
	var size int64
	if _, err := fmt.Sscan(string(head), &size); err != nil {
		return err
	}
	if err := writeStream(stream, size); err != nil {
		return err
	}
	digest, err := digestOf(stream)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(stream, digest); err != nil {
		return err
	}
	return stream.Close()
}

// askQUIC fetches bytes and sends a tenth of them, and prints what came of it.
func askQUIC(host string, size int64) error {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Second)
	defer cancel()
	conn, err := quic.DialAddr(ctx, net.JoinHostPort(host, "5006"), &tls.Config{
		InsecureSkipVerify: true, // it is nobody's but this test's
		NextProtos:         []string{quicProtocol},
	}, nil)
	if err != nil {
		return err
	}
	defer conn.CloseWithError(0, "")
	stream, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	if _, err := fmt.Fprintf(stream, "%-31d\n", size); err != nil {
		return err
	}
	down, err := digestOf(io.LimitReader(stream, size))
	if err != nil {
		return err
	}
	downMs := time.Since(start).Milliseconds()
	start = time.Now()
	if err := writeStream(stream, size/10); err != nil {
		return err
	}
	stream.Close()
	up, err := io.ReadAll(stream)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"down": down == streamDigest(size), "up": string(up) == streamDigest(size/10),
		"downMs": downMs, "upMs": time.Since(start).Milliseconds(),
	})
}
