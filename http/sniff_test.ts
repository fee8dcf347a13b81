import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { type Protocol, sniff } from "./sniff.ts";

const table: [string, Protocol][] = [
  ["", "undecided"],
  ["G", "undecided"],
  ["GET /", "undecided"],
  ["GET / HTTP/1.1\r", "undecided"],
  ["GET / HTTP/1.1\r\n", "h1"],
  ["GET / HTTP/1.0\r\nx", "h1"],
  ["M-SEARCH * HTTP/1.1\r\n", "h1"],
  ["P", "undecided"],
  ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r", "undecided"],
  ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0", "h2"],
  ["PRI * HTTP/2.0\r\n\r\nSN", "h1"],
  ["GET / HTTP/1.2\r\n", "h1"],
  ["GET  / HTTP/1.1\r\n", "h1"],
  ["GET\t/ http/1.1 \n", "h1"],
  ["\r\n\r\n", "undecided"],
  ["\r\n GET / HTTP/1.1\r\n", "h1"],
  ["\n\0GET / HTTP/1.1\r\n", "other"],
  ["GET /\r\n", "other"],
  ["PRI * HTTP/1.1\r\n", "h1"],
  ["GET key\r\n", "other"],
  ["PING\r\n", "other"],
  ["SSH-2.0-OpenSSH_9.9\r\n", "other"],
  ["EHLO host\r\n", "other"],
  ["\x16\x03\x01\x02\x00", "other"],
  ["\0\0\0\x08\x04\xd2\x16\x2f", "other"],
  ["*1\r\n$4\r\nPING\r\n", "other"],
  ["a".repeat(33), "other"],
  ["GET /\0", "other"],
];

Deno.test("sniff() tells HTTP by a whole request line or preface", () => {
  for (const [octets, protocol] of table) {
    assert.equal(
      sniff(Buffer.from(octets, "latin1")),
      protocol,
      JSON.stringify(octets),
    );
  }
});

Deno.test("sniff() does not take back what it said when more comes", () => {
  const any = fc.uint8Array({ maxLength: 64 });
  const likely = fc.constantFrom(...table.map(([text]) => text)).chain((
    text,
  ) => any.map((more) => Buffer.concat([Buffer.from(text, "latin1"), more])));
  fc.assert(fc.property(fc.oneof(any, likely), (octets) => {
    let said: Protocol = "undecided";
    for (let end = 0; end <= octets.length; end++) {
      const says = sniff(octets.subarray(0, end));
      if (said !== "undecided") assert.equal(says, said);
      said = says;
    }
  }));
});
