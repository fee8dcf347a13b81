/** struct sockaddr_in and sockaddr_in6, written and read. */
import { type Endpoint, Ip } from "../net/mod.ts";
import { families, familyAt, ipAt, sockaddrBytes } from "./_abi.ts";

export function sockaddrOf({ ip, port }: Endpoint): Uint8Array<ArrayBuffer> {
  const { family } = ip;
  const address = new Uint8Array(sockaddrBytes[family]);
  address[0] = address.length; // where the family is not
  address.set([families[family], 0].slice(0, 2 - familyAt), familyAt);
  address.set([port >> 8, port & 255], 2);
  address.set(ip.bytes, ipAt[family]);
  return address;
}

/** What the kernel wrote there; of a family that it is known to be of. */
export function endpointOf(address: Uint8Array, family: 4 | 6): Endpoint {
  const at = ipAt[family];
  const ip = Ip.of(address.subarray(at, at + (family === 4 ? 4 : 16)));
  return { ip, port: address[2]! << 8 | address[3]! };
}
