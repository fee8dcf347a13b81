import assert from "node:assert/strict";
import fc from "fast-check";
import { Ip } from "../net/mod.ts";
import { decodeTarget, encodeTarget, type Target } from "./target.ts";

const table: { target: Target; bytes: number[] }[] = [
  {
    target: { kind: "tcp", ip: Ip.parse("10.96.0.1"), port: 443 },
    bytes: [
      1, // tcp
      ...[10, 96, 0, 1], // address
      ...[0x01, 0xbb], // port
    ],
  },
  {
    target: { kind: "udp", ip: Ip.parse("fd00:96::a"), port: 65_535 },
    bytes: [
      2, // udp
      ...[0xfd, 0, 0, 0x96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a], // address
      ...[0xff, 0xff], // port
    ],
  },
  {
    target: {
      ...{ kind: "udp", ip: Ip.parse("10.96.0.1"), port: 69 },
      source: { ip: Ip.parse("198.18.0.1"), port: 40_000 },
    },
    bytes: [
      2, // udp
      ...[10, 96, 0, 1, 0, 69], // address and port of the peer
      ...[198, 18, 0, 1, 0x9c, 0x40], // and of the source
    ],
  },
  {
    target: { kind: "echo", ip: Ip.parse("10.96.0.1") },
    bytes: [
      8, // echo
      ...[10, 96, 0, 1], // address
    ],
  },
  {
    target: { kind: "lookup", query: new Uint8Array([0xab, 0xcd]) },
    bytes: [
      3, // lookup
      ...[0xab, 0xcd], // the query
    ],
  },
  {
    target: { kind: "world" },
    bytes: [4], // world
  },
  {
    target: { kind: "world", namespaces: ["shop", "db"] },
    bytes: [
      4, // world
      ...new TextEncoder().encode("shop,db"),
    ],
  },
  {
    target: { kind: "direct" },
    bytes: [5], // direct
  },
  {
    target: { kind: "log", level: "debug", seconds: 1800 },
    bytes: [
      7, // log
      1, // debug
      ...[0, 0, 0x07, 0x08], // seconds
    ],
  },
  {
    target: {
      kind: "pod",
      intercept: "u",
      wanted: { kind: "files", container: "c" },
    },
    bytes: [
      6, // pod
      ...new TextEncoder().encode(
        '{"kind":"pod","intercept":"u","wanted":{"kind":"files","container":"c"}}',
      ),
    ],
  },
  {
    target: {
      ...{ kind: "pod", intercept: "u" },
      wanted: { kind: "log", level: "debug", seconds: 60 },
    },
    bytes: [
      6, // pod
      ...new TextEncoder().encode(
        '{"kind":"pod","intercept":"u","wanted":{"kind":"log","level":"debug","seconds":60}}',
      ),
    ],
  },
];

Deno.test("encodeTarget() and decodeTarget() agree on every kind", () => {
  for (const { target, bytes } of table) {
    assert.deepEqual([...encodeTarget(target)], bytes);
    assert.deepEqual(decodeTarget(new Uint8Array(bytes)), target);
  }
});

Deno.test("decodeTarget() gives nothing for what is no target", () => {
  const bad: Record<string, number[]> = {
    "nothing": [],
    "an unknown kind": [8, 1, 2, 3, 4, 0, 80],
    "kind zero": [0],
    "an address of no family": [1, 1, 2, 3, 4, 5, 0, 80],
    "no address": [1, 0, 80],
    "port zero": [1, 1, 2, 3, 4, 0, 0],
    "a source without a port": [2, 1, 2, 3, 4, 0, 80, 1, 2, 3, 4],
    "a source with port zero": [2, 1, 2, 3, 4, 0, 80, 1, 2, 3, 4, 0, 0],
    "a source of another family": [
      ...[2, 1, 2, 3, 4, 0, 80],
      ...[...new Uint8Array(16), 0, 80],
    ],
    "a log that is quieter than usual": [7, 2, 0, 0, 0, 60],
    "a log for no time": [7, 1, 0, 0, 0, 0],
    "a log for more than a day": [7, 1, 0, 1, 0x51, 0x81],
    "a log of half a time": [7, 1, 0, 0, 60],
    "a world of no name": [4, 0],
    "a world of an empty name": [4, 0x61, 0x2c],
  };
  for (const [what, bytes] of Object.entries(bad)) {
    assert.equal(decodeTarget(new Uint8Array(bytes)), undefined, what);
  }
});

Deno.test("decodeTarget() reads back exactly what it takes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const target = decodeTarget(bytes);
      if (target !== undefined) assert.deepEqual(encodeTarget(target), bytes);
    }),
    { numRuns: 2000 },
  );
});
