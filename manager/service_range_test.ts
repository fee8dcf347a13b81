import assert from "node:assert/strict";
import { serviceRangeInError } from "./service_range.ts";

const table: [message: string, range: string | undefined][] = [
  [
    'Service "x" is invalid: spec.clusterIPs: Invalid value: []string{"1.1.1.1"}: failed to allocate IP 1.1.1.1: the provided IP (1.1.1.1) is not in the valid range. The range of valid IPs is 10.96.0.0/16',
    "10.96.0.0/16",
  ],
  [
    'Service "x" is invalid: spec.clusterIPs: Invalid value: []string{"1::1"}: failed to allocate IP 1::1: provided IP is not in the valid range. The range of valid IPs is fd00:96::/112',
    "fd00:96::/112",
  ],
  ["The range of valid IPs is 10.96.0.0/99", undefined],
  [
    'services is forbidden: User "x" cannot create resource "services"',
    undefined,
  ],
  ["", undefined],
];

for (const [message, range] of table) {
  Deno.test(`serviceRangeInError() finds ${range} in "${message.slice(-50)}"`, () => {
    assert.equal(serviceRangeInError(message)?.toString(), range);
  });
}
