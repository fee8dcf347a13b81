import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { H1Follower } from "./h1_follower.ts";

type Turn = readonly ["client" | "app", string];

const get = "GET / HTTP/1.1\r\nHost: web\r\n\r\n";
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/** Conversations, and whether no request is under way after each turn. */
const conversations: readonly (readonly (readonly [...Turn, boolean])[])[] = [
  [["client", get, false], ["app", ok, true], ["client", get, false]],
  // Two at once.
  [["client", get + get, false], ["app", ok, false], ["app", ok, true]],
  [
    [
      ...["client", "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab"] as const,
      false,
    ],
    ["app", "HTTP/1.1 100 Continue\r\n\r\n", false],
    ["client", "cd", false],
    ["app", ok, true],
  ],
  // An answer that comes before the request's end.
  [
    ["client", "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n", false],
    ["app", ok, false],
    ["client", "abcd", true],
  ],
  [
    ["client", get, false],
    ["app", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false],
    ["app", "3\r\nabc\r\n", false],
    ["app", "0\r\n\r\n", true],
  ],
  // These have no body, whatever they say.
  [
    ["client", "HEAD / HTTP/1.1\r\n\r\n", false],
    ["app", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true],
    ["client", get, false],
    ["app", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", true],
  ],
  // An offer to speak something else that is not taken, and one that is.
  [
    ["client", "GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n", false],
    ["app", ok, true],
    ["client", "GET / HTTP/1.1\r\nUpgrade: echo\r\n\r\n", false],
    ["app", "HTTP/1.1 101 Switching Protocols\r\n\r\n", false],
    ["client", get, false],
    ["app", ok, false],
  ],
  // The connection ends with it.
  [
    ["client", get, false],
    ["app", "HTTP/1.1 200 OK\r\n\r\nhello", false],
  ],
  [
    ["client", get, false],
    ["app", ok.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"), false],
  ],
  [["client", "GET / HTTP/1.0\r\n\r\n", false], ["app", ok, false]],
  // What two could read in two ways, or nobody asked for.
  [
    [
      ...["client", "POST / HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n"] as const,
      false,
    ],
    ["app", ok, false],
  ],
  [["client", get, false], ["app", ok + "more", false], ["app", ok, false]],
  [["client", "CONNECT a:1 HTTP/1.1\r\n\r\n", false], ["app", ok, false]],
];

Deno.test("H1Follower knows when no request is under way, however the octets are cut", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...conversations),
      fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
      (turns, sizes) => {
        const follower = new H1Follower();
        for (const [who, text, isAtRest] of turns) {
          for (let octets: Uint8Array = Buffer.from(text); octets.length > 0;) {
            const size = sizes.next().value;
            const piece = octets.slice(0, size);
            if (who === "client") follower.fromClient(piece);
            else follower.fromApp(piece);
            octets = octets.subarray(size);
          }
          assert.equal(follower.isAtRest, isAtRest, text);
        }
      },
    ),
    { numRuns: 500 },
  );
});
