import assert from "node:assert/strict";
import type { Status } from "../connector/api.ts";
import { lastErrorText, trafficText } from "./_traffic.ts";

Deno.test("tp status tells traffic, every kind of dropped packet in one sum", () => {
  const traffic = {
    ...{ tcp_opened: 5, tcp_refused: 2, tcp_open_now: 1 },
    ...{ udp_dialled: 4, udp_open_now: 3, dns_queries: 9, dns_failed: 1 },
    ...{ dropped_foreign: 10, dropped_malformed: 20, udp_dropped: 40 },
  };
  assert.equal(
    trafficText({ traffic } as unknown as Status),
    "TCP 5 opened, 2 refused, 1 open; UDP 4 flows, 3 open; " +
      "DNS 9 queries, 1 failed; 70 packets dropped",
  );
  assert.equal(trafficText({} as unknown as Status), undefined);
});

Deno.test("tp status tells the last error on one line, with its time", () => {
  const time = "2026-11-29T01:02:03.456Z";
  const last = { time, text: "routes not set: Error: no\n  room" };
  assert.equal(
    lastErrorText({ user_daemon: { last_error: last } } as unknown as Status),
    "2026-11-29 01:02:03 UTC: routes not set: Error: no room",
  );
  assert.equal(
    lastErrorText({ user_daemon: {} } as unknown as Status),
    undefined,
  );
});
