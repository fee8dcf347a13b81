package main

import (
	"context"
	"io"
	"log"
	"net"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// whoService is described by hand, of messages that protobuf brings along:
//
//	service tp.test.Who {
//	  rpc Ask(google.protobuf.StringValue) returns (google.protobuf.Struct);                   // who, message, headers
//	  rpc Chat(stream google.protobuf.StringValue) returns (stream google.protobuf.StringValue); // "WHO <message>" each
//	}
//
// Both send x-who as header and x-who-trailer as trailer. The message "refuse" is answered by RESOURCE_EXHAUSTED.
var whoService = grpc.ServiceDesc{
	ServiceName: "tp.test.Who",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{
		MethodName: "Ask",
		Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			var message wrapperspb.StringValue
			if err := decode(&message); err != nil {
				return nil, err
			}
			return answerAsk(ctx, message.Value)
		},
	}},
	Streams: []grpc.StreamDesc{{
		StreamName:    "Chat",
		ClientStreams: true,
		ServerStreams: true,
		Handler:       func(_ any, stream grpc.ServerStream) error { return answerChat(stream) },
	}},
}

// calls is the server, once it serves.
var calls *grpc.Server

func serveWhoGRPC(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	server.RegisterService(&whoService, nil)
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	log.Printf("%s answers grpc on %s", who, address)
	calls = server
	return server.Serve(listener)
}

func answerAsk(ctx context.Context, message string) (any, error) {
	grpc.SetHeader(ctx, metadata.Pairs("x-who", who))
	grpc.SetTrailer(ctx, metadata.Pairs("x-who-trailer", who))
	if message == "refuse" {
		return nil, status.Errorf(codes.ResourceExhausted, "%s refuses", who)
	}
	headers := map[string]any{}
	came, _ := metadata.FromIncomingContext(ctx)
	for name, values := range came {
		headers[name] = strings.Join(values, ", ")
	}
	return structpb.NewStruct(map[string]any{"who": who, "message": message, "headers": headers})
}

func answerChat(stream grpc.ServerStream) error {
	stream.SetHeader(metadata.Pairs("x-who", who))
	stream.SetTrailer(metadata.Pairs("x-who-trailer", who))
	for {
		var message wrapperspb.StringValue
		if err := stream.RecvMsg(&message); err == io.EOF {
			return nil
		} else if err != nil {
			flowOfChat(stream.Context()).brokenBy(err)
			return err
		}
		if message.Value == "refuse" {
			return status.Errorf(codes.ResourceExhausted, "%s refuses", who)
		}
		if err := stream.SendMsg(wrapperspb.String(who + " " + message.Value)); err != nil {
			return err
		}
	}
}
