package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// rawH2 is a client's connection of HTTP/2 of which each frame is sent when its user says so.
type rawH2 struct {
	conn    net.Conn
	framer  *http2.Framer
	block   bytes.Buffer
	encoder *hpack.Encoder
	address string
	// Octets of data, by stream.
	received map[uint32]int
	// Streams of which a head came.
	answered map[uint32]bool
}

// openRawH2 lets the peer send so many octets on each stream.
func openRawH2(ctx context.Context, address string, window uint32) (*rawH2, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	raw := &rawH2{
		conn: conn, framer: http2.NewFramer(conn, conn), address: address,
		received: map[uint32]int{}, answered: map[uint32]bool{},
	}
	raw.encoder = hpack.NewEncoder(&raw.block)
	if _, err := conn.Write([]byte(http2.ClientPreface)); err != nil {
		return nil, err
	}
	return raw, raw.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window})
}

func (raw *rawH2) request(id uint32, method, path string, header variant, body []byte) error {
	raw.block.Reset()
	fields := [][2]string{{":method", method}, {":scheme", "http"}, {":authority", raw.address}, {":path", path}}
	if header.name != "" {
		fields = append(fields, [2]string{header.name, header.value})
	}
	for _, field := range fields {
		raw.encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	err := raw.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: raw.block.Bytes(), EndHeaders: true, EndStream: body == nil,
	})
	if err == nil && body != nil {
		err = raw.framer.WriteData(id, false, body)
	}
	return err
}

// read takes what comes until it is enough, or nothing has come for that long.
func (raw *rawH2) read(silence time.Duration, enough func() bool) error {
	for !enough() {
		raw.conn.SetReadDeadline(time.Now().Add(silence))
		frame, err := raw.framer.ReadFrame()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
		switch frame := frame.(type) {
		case *http2.DataFrame:
			raw.received[frame.StreamID] += len(frame.Data())
		case *http2.HeadersFrame:
			raw.answered[frame.StreamID] = true
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				if err := raw.framer.WriteSettingsAck(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
