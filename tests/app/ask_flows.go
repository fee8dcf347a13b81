package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// overGRPC makes a unary call and a chat at the same time; the same has to answer both.
func (job *asker) overGRPC() (func(int) (question, error), error) {
	conn, err := grpc.NewClient(
		"passthrough:///"+job.address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			job.connected()
			return (&net.Dialer{}).DialContext(ctx, "tcp", address)
		}),
	)
	if err != nil {
		return nil, err
	}
	return func(int) (question, error) {
		return func(asked variant) (string, error) {
			ctx, cancel := context.WithTimeout(context.Background(), job.patience)
			defer cancel()
			if asked.name != "" {
				ctx = metadata.AppendToOutgoingContext(ctx, strings.ToLower(asked.name), asked.value)
			}
			type chatted struct {
				who string
				err error
			}
			chats := make(chan chatted, 1)
			go func() {
				who, err := chat(ctx, conn, job.messages)
				chats <- chatted{who, err}
			}()
			var answer structpb.Struct
			if err := conn.Invoke(ctx, "/tp.test.Who/Ask", wrapperspb.String("hello"), &answer); err != nil {
				return "", err
			}
			called := answer.Fields["who"].GetStringValue()
			chat := <-chats
			if chat.err != nil {
				return "", chat.err
			}
			if job.samePod(called, chat.who) {
				return called, nil
			}
			return "", fmt.Errorf("%s answered the call, %s the chat", called, chat.who)
		}, nil
	}, nil
}

// samePod lets a Service spread calls over pods: only who is named exactly has to answer both.
func (job *asker) samePod(called, chatted string) bool {
	for _, expected := range job.variants {
		if !strings.ContainsAny(expected.who, "*?") && (called == expected.who) != (chatted == expected.who) {
			return false
		}
	}
	return true
}

func chat(ctx context.Context, conn *grpc.ClientConn, messages int) (who string, err error) {
	description := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	stream, err := conn.NewStream(ctx, description, "/tp.test.Who/Chat")
	if err != nil {
		return "", err
	}
	for i := range messages {
		sent := fmt.Sprintf("message-%d", i)
		if err := stream.SendMsg(wrapperspb.String(sent)); err != nil {
			return "", err
		}
		var got wrapperspb.StringValue
		if err := stream.RecvMsg(&got); err != nil {
			return "", err
		}
		answered, text, _ := strings.Cut(got.Value, " ")
		if text != sent || who != "" && who != answered {
			return "", fmt.Errorf("%q came back as %q, after %q", sent, got.Value, who)
		}
		who = answered
	}
	if err := stream.CloseSend(); err != nil {
		return "", err
	}
	if err := stream.RecvMsg(&wrapperspb.StringValue{}); err != io.EOF {
		return "", fmt.Errorf("chat did not end: %w", err)
	}
	if trailer := stream.Trailer().Get("x-who-trailer"); len(trailer) != 1 || trailer[0] != who {
		return "", fmt.Errorf("trailer of %s: %q", who, trailer)
	}
	return who, nil
}

func (job *asker) overUDP() (func(int) (question, error), error) {
	return func(worker int) (question, error) {
		return func(variant) (string, error) {
			conn, err := net.DialTimeout("udp", job.address, job.patience)
			if err != nil {
				return "", err
			}
			defer conn.Close()
			sent := fmt.Sprintf("datagram of %d", worker)
			conn.SetDeadline(time.Now().Add(job.patience))
			if _, err := io.WriteString(conn, sent); err != nil {
				return "", err
			}
			buffer := make([]byte, 1<<16)
			n, err := conn.Read(buffer)
			if err != nil {
				return "", err
			}
			answered, text, _ := strings.Cut(string(buffer[:n]), " ")
			if text != sent {
				return "", fmt.Errorf("%q came back as %q", sent, text)
			}
			return answered, nil
		}, nil
	}, nil
}

func (job *asker) overTCP() (func(int) (question, error), error) {
	return func(int) (question, error) {
		return func(variant) (string, error) {
			conn, err := net.DialTimeout("tcp", job.address, job.patience)
			if err != nil {
				return "", err
			}
			defer conn.Close()
			job.connected()
			conn.SetDeadline(time.Now().Add(job.patience))
			reader := bufio.NewReader(conn)
			greeting, err := reader.ReadString('\n')
			if err != nil {
				return "", err
			}
			if _, err := io.WriteString(conn, "hello\n"); err != nil {
				return "", err
			}
			if got, err := reader.ReadString('\n'); err != nil || got != "hello\n" {
				return "", errors.Join(fmt.Errorf("hello came back as %q", got), err)
			}
			return strings.TrimSpace(greeting), nil
		}, nil
	}, nil
}
