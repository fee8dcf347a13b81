import assert from "node:assert/strict";
import { Ip } from "../../net/mod.ts";
import { directAddresses } from "./direct_addresses.ts";

Deno.test("directAddresses() are those of the endpoint, none where its name does not resolve", async () => {
  const host = "203.0.113.7";
  assert.deepEqual(await directAddresses({ host }), [Ip.parse(host)]);
  assert.deepEqual(await directAddresses({ host: "nowhere.invalid" }), []);
});

Deno.test("directAddresses() refuses what only this laptop or its link knows, by whatever name", async () => {
  const hosts = [
    ...["127.0.0.1", "0.0.0.0", "169.254.169.254", "224.0.0.1", "localhost"],
    ...["::1", "::", "fe80::1", "ff02::1", "::ffff:127.0.0.1"],
  ];
  for (const host of hosts) {
    await assert.rejects(directAddresses({ host }), {
      refusal: "forbidden",
    }, host);
  }
});
