/** Heads of HTTP/2 requests that RFC 9113 sections 8.2 and 8.3 forbid. Used by tests only. */
import type { H2Field } from "./hpack_decoder.ts";

/** A good one, with `more`. */
export function get(...more: H2Field[]): H2Field[] {
  return [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
    [":authority", "app"],
    ...more,
  ];
}

function without(name: string, ...more: H2Field[]): H2Field[] {
  return [...get().filter(([one]) => one !== name), ...more];
}

/** Each ends its stream with PROTOCOL_ERROR, and nobody is asked about it. Some would be two requests in HTTP/1. */
export const malformedHeads: [string, H2Field[]][] = [
  ["an upper case name", get(["X-User", "a"])],
  ["a name with a space", get(["x user", "a"])],
  ["a name with a colon", get(["x:y", "a"])],
  ["an empty name", get(["", "a"])],
  ["a line feed in a name", get(["x\n", "a"])],
  ["CR LF in a value", get(["x", "a\r\nGET /smuggled HTTP/1.1"])],
  ["a line feed in a value", get(["x", "a\nb"])],
  ["NUL in a value", get(["x", "a\0b"])],
  ["space before a value", get(["x", " a"])],
  ["connection", get(["connection", "close"])],
  ["keep-alive", get(["keep-alive", "1"])],
  ["proxy-connection", get(["proxy-connection", "close"])],
  ["transfer-encoding", get(["transfer-encoding", "chunked"])],
  ["transfer_encoding", get(["transfer_encoding", "chunked"])],
  ["upgrade", get(["upgrade", "websocket"])],
  ["te other than trailers", get(["te", "gzip"])],
  ["no method", without(":method")],
  ["no scheme", without(":scheme")],
  ["no path", without(":path")],
  ["an empty path", without(":path", [":path", ""])],
  ["a method twice", get([":method", "GET"])],
  ["an unknown pseudo header", [[":x", "a"], ...get()]],
  ["a pseudo header after others", [["x", "a"], ...get()]],
  [":status", [[":status", "200"], ...get()]],
  ["a space in the path", [...without(":path", [":path", "/ HTTP/1.1"])]],
  ["CR LF in the path", [...without(":path", [":path", "/\r\nx: y"])]],
  ["CR LF in the method", without(":method", [":method", "GET / \r\n"])],
  ["a path without a slash", without(":path", [":path", "x"])],
  ["user information", without(":authority", [":authority", "u@app"])],
  ["a host that is another", get(["host", "other"])],
  ["two hosts", get(["host", "app"], ["host", "app"])],
  ["two lengths", get(["content-length", "0"], ["content-length", "0"])],
  ["a length of no digits", get(["content-length", "+0"])],
  ["a length without a body", get(["content-length", "5"])],
  ["CONNECT with a path", [
    [":method", "CONNECT"],
    [":path", "/"],
    [":authority", "a:1"],
  ]],
];
