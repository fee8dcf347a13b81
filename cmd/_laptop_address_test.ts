import assert from "node:assert/strict";
import { parseLaptopAddress } from "./_laptop_address.ts";

Deno.test("parseLaptopAddress() takes addresses and names of hosts, as they are", () => {
  for (
    const text of [
      ...["127.0.0.1", "::1", "fd00::7", "localhost", "desk", "Desk.lan"],
      ...["host.docker.internal", "a-b.example.", "7up.example", "my_box.lan"],
    ]
  ) {
    assert.equal(parseLaptopAddress(text), text);
  }
});

Deno.test("parseLaptopAddress() takes nothing else", () => {
  for (
    const text of [
      ...[
        "",
        " ",
        "a b",
        "-a",
        "a-",
        "a..b",
        ".a",
        "http://a",
        "a:80",
        "[::1]",
      ],
      ...["1.2.3", "256.0.0.1", "127.1", "0x7f.0x1", "a".repeat(64), "a/b"],
      ["a".repeat(60), "b".repeat(60)].join(".").repeat(3),
    ]
  ) {
    assert.throws(() => parseLaptopAddress(text), {
      name: "SyntaxError",
      message:
        `Cannot read address "${text}": it is neither an IP address nor the name of a host`,
    });
  }
});
