package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/net/websocket"
)

// overHTTP checks that the body arrived whole, beside who answered.
func (job *asker) overHTTP() (func(int) (question, error), error) {
	body := pattern[:min(job.body, len(pattern))]
	digest := func(size int) string { return streamDigest(int64(size)) }
	if job.body <= len(pattern) {
		sum := sha256.Sum256(body)
		digest = func(int) string { return hex.EncodeToString(sum[:]) }
	}
	shared := job.client(job.multiplexed)
	return func(int) (question, error) {
		client := shared
		if !job.multiplexed {
			client = job.client(false)
		}
		return func(asked variant) (string, error) {
			ctx, cancel := context.WithTimeout(context.Background(), job.patience)
			defer cancel()
			var content io.Reader
			if job.method != http.MethodGet {
				content = bytes.NewReader(body)
			}
			if job.body > len(pattern) {
				content = streamReader(int64(job.body))
			}
			request, err := http.NewRequestWithContext(ctx, job.method, job.url, content)
			if err != nil {
				return "", err
			}
			if asked.name != "" {
				request.Header.Set(asked.name, asked.value)
			}
			response, err := client.Do(request)
			if err != nil {
				return "", err
			}
			defer response.Body.Close()
			var answer seen
			if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
				return "", fmt.Errorf("%s: %w", response.Status, err)
			}
			io.Copy(io.Discard, response.Body)
			if content != nil && answer.Sha256 != digest(job.body) {
				return "", fmt.Errorf("%s got another body, of %d bytes", answer.Who, answer.Length)
			}
			if response.Header.Get("X-Who") != answer.Who {
				return "", fmt.Errorf("%s answered in the name of %s", answer.Who, response.Header.Get("X-Who"))
			}
			return answer.Who, nil
		}, nil
	}, nil
}

// client keeps one connection at a time.
func (job *asker) client(multiplexed bool) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!multiplexed)
	protocols.SetUnencryptedHTTP2(multiplexed)
	dialer := net.Dialer{Timeout: job.patience}
	return &http.Client{Transport: &http.Transport{
		Protocols:          protocols,
		DisableCompression: true,
		MaxConnsPerHost:    1,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			job.connected()
			return dialer.DialContext(ctx, network, address)
		},
	}}
}

func streamReader(size int64) io.Reader {
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(writeStream(writer, size)) }()
	return reader
}

func (job *asker) overWebSocket() (func(int) (question, error), error) {
	return func(int) (question, error) {
		return func(asked variant) (string, error) {
			config, err := websocket.NewConfig(job.url, "http://client.example.test")
			if err != nil {
				return "", err
			}
			if asked.name != "" {
				config.Header.Set(asked.name, asked.value)
			}
			config.Dialer = &net.Dialer{Timeout: job.patience}
			conn, err := websocket.DialConfig(config)
			if err != nil {
				return "", err
			}
			defer conn.Close()
			var answered string
			if err := websocket.Message.Receive(conn, &answered); err != nil {
				return "", err
			}
			for i := range job.messages {
				sent := fmt.Sprintf("message %d", i)
				var got string
				if err := websocket.Message.Send(conn, sent); err != nil {
					return "", err
				}
				if err := websocket.Message.Receive(conn, &got); err != nil {
					return "", err
				}
				if got != sent {
					return "", fmt.Errorf("%q came back as %q", sent, got)
				}
			}
			return answered, nil
		}, nil
	}, nil
}

// leaveAsking has the workers end when the process is told to.
func leaveAsking() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	<-told
	leaving.Store(true)
}
