// deno-lint-ignore-file camelcase -- the names that scripts for Telepresence know
import assert from "node:assert/strict";
import type { Status } from "../connector/api.ts";
import { virtualTexts } from "./_virtual.ts";

const subnet = {
  subnet: "10.96.0.0/16",
  ranges: ["198.18.0.0/16"],
  reason: "the host is connected to it by docker0",
  since: "2026-01-02T03:04:05.678Z",
  stranded_flows: 0,
};

function texts(
  virtual_subnets: typeof subnet[],
  virtual_ranges: { range: string; used: number; size: number }[] = [],
) {
  const root_daemon = { virtual_subnets, virtual_ranges };
  return virtualTexts({ root_daemon } as unknown as Status);
}

Deno.test("virtualTexts() tells the subnet, its range and the reason", () => {
  assert.deepEqual(texts([subnet]), [
    "10.96.0.0/16 as 198.18.0.0/16 (the host is connected to it by docker0)",
  ]);
});

Deno.test("virtualTexts() tells subnets of one reason at once", () => {
  const other = { ...subnet, subnet: "10.98.0.0/16" };
  const later = { ...other, reason: "asked for by --vnat" };
  assert.deepEqual(texts([subnet, other, later]), [
    "10.96.0.0/16, 10.98.0.0/16 as 198.18.0.0/16 " +
    "(the host is connected to it by docker0)",
    "10.98.0.0/16 as 198.18.0.0/16 (asked for by --vnat)",
  ]);
});

Deno.test("virtualTexts() tells of flows that lost their way", () => {
  const [text] = texts([{ ...subnet, stranded_flows: 2 }]);
  assert.match(
    text!,
    /docker0\); 2 flows opened before 2026-01-02 03:04:05 UTC by/,
  );
});

Deno.test("virtualTexts() tells of a range that is full", () => {
  const range = "198.18.0.0/24";
  const full = { range, used: 254, size: 254 };
  const wide = { range: "198.18.4.0/22", used: 7, size: 1022 };
  const other = { ...wide, range: "fd00::/112" };
  assert.deepEqual(texts([], [{ ...full, used: 253 }]), []);
  assert.deepEqual(texts([], [full, wide]), []);
  assert.deepEqual(texts([], [full, other]), [
    "198.18.0.0/24 full: names of further addresses fail",
  ]);
});
