import assert from "node:assert/strict";
import { Ip, Subnet } from "../../net/mod.ts";
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
  const address = laptopAddress("server.lan", { lookUp });
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
  const address = laptopAddress("server.lan", {
    lookUp: () => new Promise(() => {}),
  });
  const off = AbortSignal.abort(new Error("called off"));
  await assert.rejects(address.resolve(off), /called off/);
});

Deno.test("laptopAddress() gives nothing that leads to the cluster, at whatever moment", async () => {
  const services = Subnet.parse("10.96.0.0/16");
  let answers = ["192.0.2.7", "10.96.0.7"];
  const options = {
    lookUp: () => Promise.resolve(answers.map((text) => Ip.parse(text))),
    leadsToCluster: (ip: Ip) => services.contains(ip),
  };
  const routed = {
    "10.96.0.7": /^10\.96\.0\.7 is reached by way of the cluster$/,
    "::ffff:10.96.0.7": /is reached by way of the cluster$/,
    "web.orders": /^"web\.orders" is 10\.96\.0\.7, which is reached /,
  };
  for (const [text, message] of Object.entries(routed)) {
    const address = laptopAddress(text, options);
    await assert.rejects(address.resolve(signal), {
      refusal: "forbidden",
      message,
    });
  }
  answers = ["192.0.2.7"];
  await laptopAddress("web.orders", options).resolve(signal);
  await laptopAddress("192.0.2.7", options).resolve(signal);
});
