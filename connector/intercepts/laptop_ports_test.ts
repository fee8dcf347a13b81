import assert from "node:assert/strict";
import type { LaptopPort } from "./intercept_table.ts";
import { laptopAddress } from "./laptop_address.ts";
import { warnOfSilence } from "./laptop_ports.ts";

Deno.test("warnOfSilence() tells of a port of the laptop once, however many of the pod lead there", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port: laptop } = listener.addr as Deno.NetAddr;
  listener.close();
  const portOf = (port: number): LaptopPort => ({
    ...{ pod: { port, protocol: "TCP" }, laptop },
  });
  const told: string[] = [];
  await warnOfSilence({
    address: laptopAddress("127.0.0.1"),
    ports: [portOf(8080), portOf(8081)],
  }, (text) => told.push(text));
  assert.equal(told.length, 1);
  assert.match(told[0]!, new RegExp(`nothing listens on 127.0.0.1:${laptop} `));
});
