package main

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// sendOctets sends what standard input holds, a JSON array of base64, each by a connection of its own, and prints what
// came back in the same form. A connection is over when the peer ends it, or says nothing for a second.
//
//	app send HOST:PORT
func sendOctets() error {
	if len(os.Args) != 3 {
		return errors.New("usage: app send HOST:PORT")
	}
	var messages [][]byte
	if err := json.NewDecoder(os.Stdin).Decode(&messages); err != nil {
		return err
	}
	answers := make([][]byte, len(messages))
	failures := make([]error, len(messages))
	slots := make(chan struct{}, 16)
	var all sync.WaitGroup
	for i, message := range messages {
		slots <- struct{}{}
		all.Go(func() {
			answers[i], failures[i] = exchangeOctets(os.Args[2], message)
			<-slots
		})
	}
	all.Wait()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

func exchangeOctets(address string, message []byte) ([]byte, error) {
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	go conn.Write(message)
	answer := []byte{}
	buffer := make([]byte, 1<<16)
	for {
		conn.SetReadDeadline(time.Now().Add(time.Second))
		n, err := conn.Read(buffer)
		answer = append(answer, buffer[:n]...)
		if err != nil {
			return answer, nil // ended, broken off, or silent
		}
	}
}
