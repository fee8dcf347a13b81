import assert from "node:assert/strict";
import {
  formatPortRequest,
  parsePodPort,
  parsePortRequest,
  type PortRequest,
} from "./port_request.ts";

const table: [text: string, request: PortRequest][] = [
  ["8080", { laptop: 8080 }],
  ["8080:http", { laptop: 8080, wanted: "http" }],
  ["8080:80", { laptop: 8080, wanted: "80" }],
  ["8080:80/TCP", { laptop: 8080, wanted: "80", protocol: "TCP" }],
  ["53:dns-udp/udp", { laptop: 53, wanted: "dns-udp", protocol: "UDP" }],
  ["53/UDP", { laptop: 53, protocol: "UDP" }],
  ["1:65535", { laptop: 1, wanted: "65535" }],
];

for (const [text, request] of table) {
  Deno.test(`parsePortRequest() reads ${text}`, () => {
    assert.deepEqual(parsePortRequest(text), request);
    assert.equal(
      formatPortRequest(request).toLowerCase(),
      text.toLowerCase(),
    );
  });
}

Deno.test("parsePortRequest() takes nothing else", () => {
  const broken = [
    ...["", ":", "http", "0", "65536", "8080:", "8080:0", "8080:70000"],
    ...["8080:HTTP", "1:2:3", "8080/SCTP", "8080:80/", "-1", "8080:-x"],
  ];
  for (const text of broken) {
    assert.throws(() => parsePortRequest(text), SyntaxError, text);
  }
});

Deno.test("parsePodPort() reads a number and a protocol", () => {
  assert.deepEqual(parsePodPort("5432"), { port: 5432, protocol: "TCP" });
  assert.deepEqual(parsePodPort("53/udp"), { port: 53, protocol: "UDP" });
  for (const text of ["", "http", "1:2", "0", "53/SCTP"]) {
    assert.throws(() => parsePodPort(text), SyntaxError, text);
  }
});
