import assert from "node:assert/strict";
import { Ip } from "../net/mod.ts";
import {
  addAddressRequest,
  controlInfo,
  controlSocketAddress,
  deleteAddressRequest,
  flagsRequest,
  mtuRequest,
  requests,
  withUp,
} from "./_utun_message.ts";

const v4 = { laptop: Ip.parse("198.18.0.1"), peer: Ip.parse("198.18.0.2") };
const v6 = { laptop: Ip.parse("fd74::1"), peer: Ip.parse("fd74::2") };
const utun4 = "7574756e34" + "00".repeat(11);
const control = "636f6d2e6170706c652e6e65742e7574756e5f636f6e74726f6c"; // com.apple.net.utun_control

/** Octets in hexadecimal, little-endian numbers. */
const golden: [string, Uint8Array, string][] = [
  ["controlInfo()", controlInfo(), "00000000" + control + "00".repeat(70)],
  [
    "controlSocketAddress()",
    controlSocketAddress(Uint8Array.of(2, 0, 0, 0, 9, 9)),
    "20 20 0200" + // length, AF_SYSTEM, AF_SYS_CONTROL
    "02000000 00000000" + // identifier, unit
    "00".repeat(20),
  ],
  [
    "mtuRequest()",
    mtuRequest("utun4", 1500),
    utun4 + "dc050000" + "00".repeat(12),
  ],
  [
    "withUp()",
    withUp(
      Uint8Array.from(flagsRequest("utun4"), (n, i) => i === 17 ? 0x80 : n),
    ),
    utun4 + "0180" + "00".repeat(14), // IFF_UP beside what was there
  ],
  [
    "addAddressRequest() of IPv4",
    addAddressRequest("utun4", v4),
    utun4 +
    "10 02 0000 c6120001 0000000000000000" + // length, AF_INET, port, ours
    "10 02 0000 c6120002 0000000000000000" + // the other end
    "10 02 0000 ffffffff 0000000000000000",
  ],
  [
    "addAddressRequest() of IPv6",
    addAddressRequest("utun4", v6),
    utun4 +
    "1c 1e 0000 00000000" + "fd740000000000000000000000000001" + "00000000" +
    "1c 1e 0000 00000000" + "fd740000000000000000000000000002" + "00000000" +
    "1c 1e 0000 00000000" + "ff".repeat(16) + "00000000" +
    "20000000" + // IN6_IFF_NODAD
    "00".repeat(16) + // when it expires
    "ffffffff ffffffff", // for how long it is valid and preferred
  ],
  [
    "deleteAddressRequest() of IPv4",
    deleteAddressRequest("utun4", v4.laptop),
    utun4 + "10 02 0000 c6120001 0000000000000000",
  ],
];

for (const [name, bytes, hex] of golden) {
  Deno.test(`${name} is as the kernel expects it`, () => {
    assert.equal(bytes.toHex(), hex.replaceAll(" ", ""));
  });
}

Deno.test("requests tell the size of what is pointed to", () => {
  const told = (request: number) => request >>> 16 & 0x1fff;
  assert.deepEqual(
    [
      told(requests.controlInfo),
      told(requests.setMtu),
      told(requests.setFlags),
      told(requests.addAddress[4]),
      told(requests.addAddress[6]),
      told(requests.deleteAddress[4]),
      told(requests.deleteAddress[6]),
    ],
    [
      controlInfo(),
      mtuRequest("utun4", 1500),
      flagsRequest("utun4"),
      addAddressRequest("utun4", v4),
      addAddressRequest("utun4", v6),
      deleteAddressRequest("utun4", v4.laptop),
      deleteAddressRequest("utun4", v6.laptop),
    ].map(({ length }) => length),
  );
});
