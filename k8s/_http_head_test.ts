import assert from "node:assert/strict";
import fc from "fast-check";
import { ConnSource } from "./_byte_source.ts";
import {
  decodeResponseHead,
  encodeRequestHead,
  readResponseHead,
} from "./_http_head.ts";
import { cutAt, piecesConn, utf8 } from "./_pieces_fake.ts";
import { ObstacleError } from "./unreachable.ts";

Deno.test("encodeRequestHead() writes line, headers and an empty line", () => {
  const head = encodeRequestHead({
    method: "GET",
    target: "/api?a=b",
    headers: [["Host", "h"], ["A", "1"], ["A", "2"]],
  });
  assert.equal(
    new TextDecoder().decode(head),
    "GET /api?a=b HTTP/1.1\r\nHost: h\r\nA: 1\r\nA: 2\r\n\r\n",
  );
});

Deno.test("encodeRequestHead() lets no value start a line of its own", () => {
  for (const value of ["a\r\nX: y", "a\nX: y", "a\0"]) {
    assert.throws(
      () =>
        encodeRequestHead({
          method: "GET",
          target: "/",
          headers: [["A", value]],
        }),
      TypeError,
    );
  }
});

const heads = [
  { text: "HTTP/1.1 200 OK", status: 200, reusable: true },
  { text: "HTTP/1.1 200", status: 200, reusable: true },
  { text: "HTTP/1.0 200 OK", status: 200, reusable: false },
  {
    text: "HTTP/1.1 200 OK\r\nConnection: Close",
    status: 200,
    reusable: false,
  },
  { text: "HTTP/1.1 204 No Content\nA: b", status: 204, reusable: true },
];

Deno.test("decodeResponseHead() tells status and whether the connection can go on", () => {
  for (const { text, status, reusable } of heads) {
    const head = decodeResponseHead(text);
    assert.deepEqual([head.status, head.reusable], [status, reusable], text);
  }
  const { headers } = decodeResponseHead(
    "HTTP/1.1 200\r\nA:  1 \r\na: 2\r\nbad",
  );
  assert.deepEqual([...headers], [["a", "1, 2"]]);
});

Deno.test("decodeResponseHead() refuses what is not HTTP", () => {
  for (const text of ["", "SSH-2.0-x", "HTTP/2 200", "HTTP/1.1 20", "\0\0"]) {
    assert.throws(() => decodeResponseHead(text), ObstacleError, text);
  }
});

Deno.test("readResponseHead() finds the same head however it is cut, and leaves the rest", async () => {
  const bytes = utf8(
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\nrest",
  );
  await fc.assert(fc.asyncProperty(fc.array(fc.nat()), async (cuts) => {
    const source = new ConnSource(piecesConn(cutAt(bytes, cuts)), 1024);
    const head = await readResponseHead(source);
    assert.equal(head?.status, 101);
    assert.equal(head.headers.get("upgrade"), "x");
    while (source.peek().length < 4) assert.ok(await source.fill());
    assert.equal(new TextDecoder().decode(source.peek()), "rest");
  }));
});

Deno.test("readResponseHead() tells an end before, and an end amid, the head apart", async () => {
  const read = (text: string) =>
    readResponseHead(new ConnSource(piecesConn([utf8(text)]), 64));
  assert.equal(await read(""), undefined);
  await assert.rejects(read("HTTP/1.1 200 OK\r\n"), ObstacleError);
  await assert.rejects(read("HTTP/1.1 200 OK\r\n".padEnd(80, "a")), {
    obstacle: { kind: "protocol", detail: "its answer has too long a head" },
  });
});
