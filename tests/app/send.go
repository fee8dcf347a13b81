package main

import (
	"encoding/json"
	"errors"
	"flag"
	"math"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// sendOctets sends what standard input holds, a JSON array of base64, each by a connection of its own, and prints what
// came back in the same form. A connection is over when the peer ends it, or says nothing for a second after all is sent.
//
//	app send [-piece OCTETS] [-every TIME] HOST:PORT
//
// With -piece each is sent in parts of so many octets, with a pause of -every after each.
func sendOctets() error {
	flags := flag.NewFlagSet("send", flag.ExitOnError)
	flags.IntVar(&sendPace.piece, "piece", math.MaxInt, "`OCTETS`")
	flags.DurationVar(&sendPace.every, "every", 0, "`TIME`")
	flags.Parse(os.Args[2:])
	if flags.NArg() != 1 || sendPace.piece < 1 {
		return errors.New("usage: app send [-piece OCTETS] [-every TIME] HOST:PORT")
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
			answers[i], failures[i] = exchangeOctets(flags.Arg(0), message)
			<-slots
		})
	}
	all.Wait()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

var sendPace struct {
	piece int
	every time.Duration
}

func exchangeOctets(address string, message []byte) ([]byte, error) {
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	parts := slices.Collect(slices.Chunk(message, sendPace.piece))
	sent := time.Now().Add(time.Duration(len(parts)) * sendPace.every)
	go func() {
		for _, part := range parts {
			conn.Write(part)
			time.Sleep(sendPace.every)
		}
	}()
	answer := []byte{}
	buffer := make([]byte, 1<<16)
	for {
		conn.SetReadDeadline(latest(time.Now(), sent).Add(time.Second))
		n, err := conn.Read(buffer)
		answer = append(answer, buffer[:n]...)
		if err != nil {
			return answer, nil // ended, broken off, or silent
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
