/** Answers of HTTP/1.1 as octets, read strictly: whatever is not as RFC 9112 wants it fails a test. */
import assert from "node:assert/strict";

export interface RawAnswer {
  readonly status: number;
  /** The status line and the fields, each with its line end. */
  readonly head: string;
  readonly body: string;
  /** By name in small letters; empty unless the body came in chunks. */
  readonly trailers: ReadonlyMap<string, string>;
}

/** All answers that a connection (latin1) holds, interim ones too, each of which must be whole. */
export function readAnswers(octets: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let rest = octets; rest !== "";) {
    const read = readAnswer(rest);
    answers.push(read.answer);
    rest = read.rest;
  }
  return answers;
}

function readAnswer(octets: string): { answer: RawAnswer; rest: string } {
  const [head, after] = cut(octets, "\r\n\r\n");
  const found = /^HTTP\/1\.1 (\d{3}) /.exec(head);
  assert.ok(found, octets);
  const answer = { status: Number(found[1]), head: head + "\r\n" };
  const none = { body: "", trailers: new Map<string, string>() };
  if (answer.status < 200) {
    return { answer: { ...answer, ...none }, rest: after };
  }
  if (/^transfer-encoding: *chunked\r$/im.test(answer.head)) {
    const { body, trailers, rest } = readChunks(after);
    return { answer: { ...answer, body, trailers }, rest };
  }
  const length = Number(/^content-length: *(\d+)\r$/im.exec(answer.head)?.[1]);
  assert.ok(length <= after.length, octets);
  const body = after.slice(0, length);
  return { answer: { ...answer, ...none, body }, rest: after.slice(length) };
}

function readChunks(octets: string) {
  let body = "";
  for (let rest = octets;;) {
    const [line, after] = cut(rest, "\r\n");
    assert.match(line, /^[0-9a-f]+(;.*)?$/i, octets);
    const size = parseInt(line, 16);
    if (size === 0) {
      // The line end of the size may be the first half of the end.
      const [fields, left] = cut(`\r\n${after}`, "\r\n\r\n");
      const trailers = new Map(
        fields.split("\r\n").filter(Boolean).map((field) => {
          const [name, value] = cut(field, ":");
          return [name.toLowerCase(), value.trim()];
        }),
      );
      return { body, trailers, rest: left };
    }
    assert.equal(after.slice(size, size + 2), "\r\n", octets);
    body += after.slice(0, size);
    rest = after.slice(size + 2);
  }
}

/** What is before and after the first `mark`, which must be there. */
function cut(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  assert.notEqual(at, -1, `no ${JSON.stringify(mark)} in ${text}`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}
