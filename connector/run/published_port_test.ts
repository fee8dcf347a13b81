import assert from "node:assert/strict";
import { parsePublishedPort } from "./published_port.ts";

Deno.test("parsePublishedPort() reads a port, and where it is on the laptop", () => {
  assert.deepEqual(parsePublishedPort("8080"), { laptop: 8080, inside: 8080 });
  assert.deepEqual(parsePublishedPort("8080:80"), { laptop: 8080, inside: 80 });
  for (const text of ["", "0", "80:", ":80", "a", "1:2:3", "65536", "80/udp"]) {
    assert.throws(() => parsePublishedPort(text), SyntaxError, text);
  }
});
