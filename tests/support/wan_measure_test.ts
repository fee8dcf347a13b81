import assert from "node:assert/strict";
import { parseEchoes } from "./wan_measure.ts";

Deno.test("parseEchoes() tells the lost ones from those that came back", () => {
  const text = `PING 10.99.0.2 (10.99.0.2) 56(84) bytes of data.
64 bytes from 10.99.0.2: icmp_seq=1 ttl=64 time=20.4 ms
64 bytes from 10.99.0.2: icmp_seq=3 ttl=64 time=20.1 ms
64 bytes from 10.99.0.2: icmp_seq=4 ttl=64 time=31 ms

--- 10.99.0.2 ping statistics ---
4 packets transmitted, 3 received, 25% packet loss, time 6ms
`;
  assert.deepEqual(parseEchoes(text), {
    sent: 4,
    lostPercent: 25,
    medianMs: 20.4,
    minMs: 20.1,
    maxMs: 31,
  });
});

Deno.test("parseEchoes() of a black hole has no times", () => {
  const text = "2 packets transmitted, 0 received, 100% packet loss, time 9ms";
  const { lostPercent, medianMs } = parseEchoes(text);
  assert.equal(lostPercent, 100);
  assert.ok(Number.isNaN(medianMs));
  assert.throws(() => parseEchoes("ping: unknown host"), /no count/);
});
