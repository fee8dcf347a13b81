/**
 * Octets of clients that try to hide a request from whoever routes, or to have one counted as two. Used by tests only.
 *
 * Each hides a request.
 */
export interface SmugglingCase {
  readonly name: string;
  readonly octets: string;
  /**
   * `refused`: answered 400, nothing is forwarded. `cut`: the request's beginning was forwarded and broken off.
   * `opaque`: no HTTP, so all of it is the app's. `forwarded`: it is unambiguous, and what is hidden is its body.
   */
  readonly outcome: "refused" | "cut" | "opaque" | "forwarded";
}

/** What {@link smugglingCorpus} hides. */
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: app\r\n\r\n";

/** A POST with these lines, an empty line, and `body`. */
function post(fields: string, body: string): string {
  return `POST / HTTP/1.1\r\nHost: app\r\n${fields}\r\n\r\n${body}`;
}

function refused(name: string, octets: string): SmugglingCase {
  return { name, octets, outcome: "refused" };
}

const chunked = "Transfer-Encoding: chunked";

/** Fields that hide a Transfer-Encoding from one of two parsers (TE.TE), or are none. */
const disguises: readonly (readonly [name: string, fields: string])[] = [
  ["space before the colon", "Transfer-Encoding : chunked"],
  ["tab before the colon", "Transfer-Encoding\t: chunked"],
  ["vertical tab in the value", "Transfer-Encoding: \x0bchunked"],
  ["form feed after the value", "Transfer-Encoding: chunked\x0c"],
  ["NUL in the value", "Transfer-Encoding: chunked\0"],
  ["NUL in the name", "Transfer-Encoding\0: chunked"],
  ["xchunked", "Transfer-Encoding: xchunked"],
  ["quoted", 'Transfer-Encoding: "chunked"'],
  ["chunked, identity", "Transfer-Encoding: chunked, identity"],
  ["identity, chunked", "Transfer-Encoding: identity, chunked"],
  ["gzip, chunked", "Transfer-Encoding: gzip, chunked"],
  ["chunked, chunked", "Transfer-Encoding: chunked, chunked"],
  ["empty list member", "Transfer-Encoding: ,chunked"],
  ["identity", "Transfer-Encoding: identity"],
  ["empty", "Transfer-Encoding:"],
  ["with parameter", "Transfer-Encoding: chunked;a=b"],
  ["two fields", `${chunked}\r\n${chunked}`],
  ["two fields that differ", `${chunked}\r\nTransfer-Encoding: identity`],
  ["two fields, x last", `${chunked}\r\nTransfer-encoding: x`],
  ["folded", "Transfer-Encoding:\r\n chunked"],
  ["folded by tab", "Transfer-Encoding:\r\n\tchunked"],
  ["folded field before", `X: y\r\n ${chunked}`],
  ["line feed alone before", `X: y\n${chunked}`],
  ["carriage return alone before", `X: y\r${chunked}`],
  ["carriage return alone after", `${chunked}\r`],
  ["underscore", "Transfer_Encoding: chunked"],
  ["leading space", ` ${chunked}`],
  ["octet above ASCII in the name", "Transfer-Encoding\xa0: chunked"],
  ["no-break space in the value", "Transfer-Encoding: \xa0chunked"],
  ["no colon", "Transfer-Encoding chunked"],
  ["kelvin sign for k", "Transfer-Encoding: chun\xe2\x84\xaaed"],
];

const lengths: readonly (readonly [name: string, fields: string])[] = [
  ["twice, equal", "Content-Length: 5\r\nContent-Length: 5"],
  ["twice, different", "Content-Length: 5\r\nContent-Length: 0"],
  ["list, equal", "Content-Length: 5, 5"],
  ["list, different", "Content-Length: 0, 5"],
  ["plus", "Content-Length: +5"],
  ["minus", "Content-Length: -5"],
  ["minus zero", "Content-Length: -0"],
  ["hexadecimal", "Content-Length: 0x5"],
  ["decimal point", "Content-Length: 5.0"],
  ["exponent", "Content-Length: 5e0"],
  ["underscore", "Content-Length: 1_0"],
  ["space inside", "Content-Length: 1 0"],
  ["empty", "Content-Length:"],
  ["letters after", "Content-Length: 5abc"],
  ["larger than a number holds", "Content-Length: 99999999999999999999"],
  ["2^64 + 5", "Content-Length: 18446744073709551621"],
  ["space before the colon", "Content-Length : 5"],
  ["underscore for the hyphen", "Content_Length: 5"],
  ["NUL", "Content-Length: 5\0"],
  ["Arabic digit", "Content-Length: \xd9\xa5"],
  ["folded", "Content-Length: \r\n 5"],
];

/** Bodies that are no chunks, each before the hidden request. */
const brokenChunks: readonly (readonly [name: string, body: string])[] = [
  ["line feed alone after the size", "5\nhello\r\n0\r\n\r\n"],
  ["line feed alone after the data", "5\r\nhello\n0\r\n\r\n"],
  ["line feed alone after an extension", "5;a\nhello\r\n0\r\n\r\n"],
  ["line feed alone at the end", "0\r\n\n"],
  ["carriage return alone in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n"],
  ["two carriage returns", "5\r\r\nhello\r\n0\r\n\r\n"],
  ["0x before the size", "0x5\r\nhello\r\n0\r\n\r\n"],
  ["plus", "+5\r\nhello\r\n0\r\n\r\n"],
  ["minus", "-5\r\nhello\r\n0\r\n\r\n"],
  ["space before the size", " 5\r\nhello\r\n0\r\n\r\n"],
  ["space after the size", "5 \r\nhello\r\n0\r\n\r\n"],
  ["no size", "\r\nhello\r\n0\r\n\r\n"],
  ["no size but an extension", ";a\r\n\r\n"],
  ["size above 2^53", "20000000000001\r\n"],
  ["size of 2^64 + 5", "10000000000000005\r\nhello\r\n0\r\n\r\n"],
  ["many zeros", `${"0".repeat(17)}5\r\nhello\r\n0\r\n\r\n`],
  ["data longer than the size", "4\r\nhello\r\n0\r\n\r\n"],
  ["data shorter than the size", "6\r\nhello\r\n0\r\n\r\n"],
  ["NUL in an extension", "5;\0\r\nhello\r\n0\r\n\r\n"],
  ["trailer without a colon", "0\r\nGET /smuggled HTTP/1.1\r\n\r\n"],
  ["trailer with space before the colon", "0\r\nx : y\r\n\r\n"],
  ["folded trailer", "0\r\nx: y\r\n z\r\n\r\n"],
  ["trailer Content-Length", "0\r\nContent-Length: 5\r\n\r\n"],
  ["trailer Transfer-Encoding", "0\r\ntransfer-encoding: chunked\r\n\r\n"],
  ["carriage return alone in a trailer", "0\r\nx: y\rz: w\r\n\r\n"],
  ["an extension without end", `5;${"a".repeat(5000)}\r\nhello\r\n`],
];

type Named = readonly (readonly [name: string, octets: string])[];

function headsBefore(hidden: string): Named {
  return [
    ["line feeds alone", "GET / HTTP/1.1\r\nHost: app\n\n" + hidden],
    ["empty line in line feeds", "GET / HTTP/1.1\r\nHost: app\r\n\n" + hidden],
    ["two Host fields", "GET / HTTP/1.1\r\nHost: app\r\nHost: b\r\n\r\n"],
    ["empty field name", "GET / HTTP/1.1\r\nHost: app\r\n: x\r\n\r\n"],
    ["folded first field", "GET / HTTP/1.1\r\n Host: app\r\n\r\n" + hidden],
    [
      "carriage return alone in a value",
      "GET / HTTP/1.1\r\nHost: app\r\nX: a\r\rGET /smuggled HTTP/1.1\r\n\r\n",
    ],
    ["NUL in a value", "GET / HTTP/1.1\r\nHost: app\r\nX: a\0b\r\n\r\n"],
    ["bracket in a name", "GET / HTTP/1.1\r\nHost: app\r\nX[]: a\r\n\r\n"],
    ["CONNECT with a body", `CONNECT a:1 HTTP/1.1\r\n${chunked}\r\n\r\n`],
    [
      "HTTP/1.0 with chunks",
      `POST / HTTP/1.0\r\n${chunked}\r\n\r\n0\r\n\r\n${hidden}`,
    ],
  ];
}

function opaqueBefore(hidden: string): Named {
  return [
    ["HTTP/0.9", "GET /\r\n" + hidden],
    ["NUL first", "\0GET / HTTP/1.1\r\n\r\n" + hidden],
  ];
}

/** What some servers would take for a request. */
function oddLinesBefore(hidden: string): Named {
  return [
    ["HTTP/2 downgrade", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + hidden],
    ["another version", "GET / HTTP/1.2\r\n\r\n" + hidden],
    ["lower case http", "GET / http/1.1\r\n\r\n" + hidden],
    ["two spaces", "GET  / HTTP/1.1\r\n\r\n" + hidden],
    ["tab", "GET\t/ HTTP/1.1\r\n\r\n" + hidden],
    ["space in the target", "GET /a b HTTP/1.1\r\n\r\n" + hidden],
    ["space at the end", "GET / HTTP/1.1 \r\n\r\n" + hidden],
    ["line feed alone", "GET / HTTP/1.1\nHost: app\r\n\r\n" + hidden],
    ["empty line first", "\r\nGET / HTTP/1.1\r\n\r\n" + hidden],
    ["space first", " GET / HTTP/1.1\r\n\r\n" + hidden],
  ];
}

/** Every way to hide a request, given whole. */
export function casesThatHide(hidden: string): SmugglingCase[] {
  const last = `0\r\n\r\n${hidden}`;
  return [
    refused("CL.TE", post(`Content-Length: 5\r\n${chunked}`, last)),
    refused("TE.CL", post(`${chunked}\r\nContent-Length: 5`, last)),
    refused("CL.0 and chunks", post(`Content-Length: 0\r\n${chunked}`, last)),
    ...disguises.map(([name, fields]) =>
      refused(`TE.TE: ${name}`, post(`Content-Length: 5\r\n${fields}`, last))
    ),
    ...disguises.map(([name, fields]) =>
      refused(`TE: ${name}`, post(fields, last))
    ),
    ...lengths.map(([name, fields]) =>
      refused(`CL: ${name}`, post(fields, `hello${hidden}`))
    ),
    ...brokenChunks.map(([name, body]): SmugglingCase => ({
      name: `chunks: ${name}`,
      octets: post(chunked, body + hidden),
      outcome: "cut",
    })),
    ...headsBefore(hidden).map(([name, octets]) =>
      refused(`head: ${name}`, octets)
    ),
    ...oddLinesBefore(hidden).map(([name, octets]) =>
      refused(`start: ${name}`, octets)
    ),
    ...opaqueBefore(hidden).map(([name, octets]): SmugglingCase => ({
      name: `start: ${name}`,
      octets,
      outcome: "opaque",
    })),
    {
      name: "GET with a body",
      octets: "GET / HTTP/1.1\r\nHost: app\r\n" +
        `Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
      outcome: "forwarded",
    },
    {
      name: "a chunk that looks like a request",
      octets: post(
        chunked,
        `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`,
      ),
      outcome: "forwarded",
    },
    {
      name: "names of hop-by-hop fields",
      octets: post(
        `Connection: Content-Length\r\nContent-Length: ${hidden.length}`,
        hidden,
      ),
      outcome: "forwarded",
    },
  ];
}

/** All of them, with a request for `/smuggled`. */
export const smugglingCorpus: readonly SmugglingCase[] = casesThatHide(
  smuggled,
);
