import assert from "node:assert/strict";
import { Ip } from "../../net/mod.ts";
import { laptopAddress } from "./laptop_address.ts";

const { signal } = new AbortController();

Deno.test("laptopAddress() takes an address as it is, and localhost as either", async () => {
  const table = [
    ["127.0.0.1", ["127.0.0.1", "::1"]],
    ["localhost", ["127.0.0.1", "::1"]],
    ["192.0.2.7", ["192.0.2.7"]],
    ["::1", ["::1"]],
  ] as const;
  for (const [text, ips] of table) {
    const found = await laptopAddress(text).resolve(signal);
    assert.deepEqual(found.map(String), ips);
  }
});

Deno.test("laptopAddress() resolves a name each time anew", async () => {
  let answers = ["192.0.2.7", "192.0.2.8"];
  const lookUp = (host: string) => {
    assert.equal(host, "server.lan");
    return Promise.resolve(answers.map((text) => Ip.parse(text)));
  };
  const address = laptopAddress("server.lan", lookUp);
  assert.deepEqual((await address.resolve(signal)).map(String), answers);
  answers = ["192.0.2.9"];
  assert.deepEqual((await address.resolve(signal)).map(String), answers);
  answers = [];
  await assert.rejects(address.resolve(signal), {
    refusal: "unreachable",
    message: 'This laptop cannot resolve "server.lan"',
  });
});

Deno.test("laptopAddress() waits for a name no longer than it is wanted", async () => {
  const address = laptopAddress("server.lan", () => new Promise(() => {}));
  const off = AbortSignal.abort(new Error("called off"));
  await assert.rejects(address.resolve(off), /called off/);
});
