import fc from "fast-check";

/** A request as a test made it, and as the app is to see it. */
export interface MadeRequest {
  readonly octets: string;
  readonly method: string;
  readonly target: string;
  readonly body: string;
  readonly toLaptop: boolean;
}

const token = fc.string({
  unit: fc.constantFrom(..."abcXYZ019-!#$%&'*+.^_`|~"),
  minLength: 1,
  maxLength: 8,
}).map((name) => `x-${name}`);
const value = fc.string({
  unit: fc.constantFrom(..."ab,;:=\"'()<>/ \t\x80\xff"),
  maxLength: 20,
});
const field = fc.tuple(token, value, fc.constantFrom("", " ", "\t "))
  .map(([name, text, space]) => `${name}:${space}${text}\r\n`);
const fields = fc.array(field, { maxLength: 5 }).map((all) => all.join(""));
const body = fc.string({
  unit: fc.constantFrom(..."ab\r\n\0:0G \xff"),
  maxLength: 300,
});

/** `body` in chunks of the sizes that `cuts` makes. */
function chunksOf(text: string, cuts: readonly number[], trailers: string) {
  let chunks = "";
  for (let rest = text, turn = 0; rest !== ""; turn++) {
    const size = 1 + (cuts[turn % cuts.length] ?? 10);
    const part = rest.slice(0, size);
    rest = rest.slice(size);
    const digits = part.length.toString(16);
    const line = turn % 3 === 0
      ? `0${digits.toUpperCase()}`
      : turn % 3 === 1
      ? `${digits};e="\t;x"`
      : digits;
    chunks += `${line}\r\n${part}\r\n`;
  }
  return `${chunks}0\r\n${trailers}\r\n`;
}

/** Any request that RFC 9112 allows and that keeps its connection. */
export const anyRequest: fc.Arbitrary<MadeRequest> = fc.record({
  method: fc.constantFrom("GET", "POST", "PUT", "DELETE", "OPTIONS"),
  target: fc.constantFrom("/", "/a?b=c", "http://app/x", "/%20;=~", "*"),
  before: fields,
  after: fields,
  body,
  cuts: fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 4 }),
  trailers: fields,
  kind: fc.constantFrom("none", "length", "chunked"),
  toLaptop: fc.boolean(),
}).map(({ method, target, before, after, ...made }) => {
  const text = made.kind === "none" ? "" : made.body;
  const framing = made.kind === "length"
    ? `Content-Length: ${text.length}\r\n`
    : made.kind === "chunked"
    ? "transfer-encoding:chunked \r\n"
    : "";
  const to = made.toLaptop ? "To: laptop\r\n" : "";
  const sent = made.kind === "chunked"
    ? chunksOf(text, made.cuts, made.trailers)
    : text;
  return {
    octets: `${method} ${target} HTTP/1.1\r\nHost: app\r\n` +
      `${before}${framing}${to}${after}\r\n${sent}`,
    method,
    target,
    body: text,
    toLaptop: made.toLaptop,
  };
});

/** An answer that keeps its connection. */
export const anyAnswer: fc.Arbitrary<string> = fc.record({
  fields,
  body,
  cuts: fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 4 }),
  kind: fc.constantFrom("length", "chunked", "204"),
  interim: fc.constantFrom("", "HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n"),
}).map(({ kind, interim, ...made }) => {
  if (kind === "204") {
    return `${interim}HTTP/1.1 204 No Content\r\n${made.fields}\r\n`;
  }
  return kind === "length"
    ? `${interim}HTTP/1.1 200 OK\r\n${made.fields}` +
      `content-length: ${made.body.length}\r\n\r\n${made.body}`
    : `${interim}HTTP/1.0 200\r\n`.replace("1.0", "1.1") + made.fields +
      `transfer-encoding: chunked\r\n\r\n${chunksOf(made.body, made.cuts, "")}`;
});

/** Where to cut `octets`, so that they come in pieces. */
export function pieces(octets: string, sizes: readonly number[]): string[] {
  const cut: string[] = [];
  for (let at = 0, turn = 0; at < octets.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? octets.length);
    cut.push(octets.slice(at, at + size));
    at += size;
  }
  return cut;
}
