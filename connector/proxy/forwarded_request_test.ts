import assert from "node:assert/strict";
import fc from "fast-check";
import { readForwarded } from "./forwarded_request.ts";

const head = (...lines: string[]) => lines.join("\r\n");

const good: [head: string, host: string, port: number, onward?: string][] = [
  [head("CONNECT web.default:443 HTTP/1.1", "Host: x"), "web.default", 443],
  [head("CONNECT web.default:80 HTTP/1.1"), "web.default", 80],
  [head("CONNECT [fd00::7]:8443 HTTP/1.1"), "fd00::7", 8443],
  [
    head("GET http://web.default/a?b#c HTTP/1.1", "Host: other", "Accept: */*"),
    "web.default",
    80,
    "GET /a?b HTTP/1.1\r\nHost: web.default\r\nAccept: */*\r\nConnection: close\r\n\r\n",
  ],
  [
    head("POST http://10.0.0.7:8080 HTTP/1.0", "Content-Length: 3"),
    "10.0.0.7",
    8080,
    "POST / HTTP/1.0\r\nHost: 10.0.0.7:8080\r\nContent-Length: 3\r\nConnection: close\r\n\r\n",
  ],
  // What is between client and proxy stays there, as does what the client says is.
  [
    head(
      "GET http://web/%7e HTTP/1.1",
      "Proxy-Authorization: Basic eDp5",
      "Proxy-Connection: keep-alive",
      "Connection: keep-alive, X-Hop",
      "X-Hop: 1",
      "X-End: 2",
    ),
    "web",
    80,
    "GET /%7e HTTP/1.1\r\nHost: web\r\nX-End: 2\r\nConnection: close\r\n\r\n",
  ],
  [
    head(
      "GET http://web/ HTTP/1.1",
      "Connection: Upgrade",
      "Upgrade: websocket",
    ),
    "web",
    80,
    "GET / HTTP/1.1\r\nHost: web\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
  ],
];

for (const [text, host, port, onward] of good) {
  Deno.test(`readForwarded() reads ${JSON.stringify(text)}`, () => {
    const read = readForwarded(text);
    assert.deepEqual({ ...read, authorization: undefined }, {
      ...{ host, port, onward, authorization: undefined },
    });
  });
}

const bad = [
  "",
  "GET / HTTP/1.1",
  "GET https://web/ HTTP/1.1",
  "GET http:///x HTTP/1.1",
  "GET http://web/ HTTP/2",
  "CONNECT web.default HTTP/1.1",
  "CONNECT web.default: HTTP/1.1",
  "CONNECT web:99999 HTTP/1.1",
  head("GET http://web/ HTTP/1.1", "no field"),
  head("GET http://web/ HTTP/1.1", " Folded: 1"),
];

for (const text of bad) {
  Deno.test(`readForwarded() takes ${JSON.stringify(text)} for no request to a proxy`, () => {
    assert.equal(readForwarded(text), undefined);
  });
}

Deno.test("readForwarded() gives no password of the proxy away, and ends what it sends on once", () => {
  const line = fc.stringMatching(/^[A-Za-z-]{1,9}: ?[ -~]{0,20}$/);
  const path = fc.stringMatching(/^(\/[\w.?=&-]{0,12}){0,3}$/);
  fc.assert(fc.property(fc.array(line), path, (lines, path) => {
    const read = readForwarded(head(
      ...[`GET http://web${path} HTTP/1.1`, ...lines],
      "proxy-AUTHORIZATION: Basic c2VjcmV0",
    ));
    const { onward = "" } = read ?? {};
    assert.ok(onward.startsWith("GET /"));
    assert.ok(!onward.includes("c2VjcmV0"), onward);
    assert.equal(onward.indexOf("\r\n\r\n"), onward.length - 4);
  }));
});
