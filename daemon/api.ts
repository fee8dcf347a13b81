/**
 * What crosses between connector and daemon: messages of 64 octets over a Unix socket that keeps their boundaries
 * (SOCK_SEQPACKET). The connector asks one thing at a time and is answered in order; end-of-file from the connector is the
 * last word. Numbers are in network order, unused octets zero.
 *
 * | octets | field |
 * |---|---|
 * | 0 | version of this protocol |
 * | 1 | kind |
 * | 2-3 | sequence: counted by the connector, repeated in the answer |
 * | 4-7 | number: MTU, uid or refusal code |
 * | 8-27 | first subnet: family (4, 6, 0 absent), prefix, 2 zero octets, 16 octets of address |
 * | 28-47 | second subnet |
 * | 48-63 | name of a device, ended by zero |
 */
import { Ip, Subnet } from "../net/mod.ts";
import { type RefusalCode, refusalCodes } from "./refusal.ts";

export const daemonSocketPath = "/run/tp/daemon.sock";
/** Where systemd listens in the daemon's stead, on a host that has it as a service. */
export const serviceSocketPath = "/run/tp-daemon.sock";
export const messageSize = 64;
export const apiVersion = 1;

/** How often the connector says that it lives. */
export const heartbeatMs = 500;

/** What the connector may say. */
export type Request =
  /** The first message: who says it holds the daemon. Others only look whether it is there. */
  | { kind: "hello" }
  | { kind: "heartbeat" }
  | { kind: "openDevice"; mtu: number; v4?: Subnet; v6?: Subnet }
  | { kind: "addRoute"; subnet: Subnet }
  | { kind: "deleteRoute"; subnet: Subnet }
  | { kind: "setResolver"; nameserver: Ip }
  | { kind: "restoreResolver" };

/** What the daemon may say. */
export type Reply =
  | { kind: "welcome" }
  /** The user `uid` holds the network. */
  | { kind: "held"; uid: number }
  /** The message carries the device's descriptor. */
  | { kind: "device"; name: string }
  | { kind: "done" }
  | { kind: "refused"; code: RefusalCode };

export type Message = (Request | Reply) & { sequence: number };

/** The place in the list is the number on the wire. */
const kinds: (Message["kind"] | undefined)[] = [
  undefined,
  "hello",
  "heartbeat",
  "openDevice",
  "addRoute",
  "deleteRoute",
  "setResolver",
  "restoreResolver",
  "welcome",
  "held",
  "device",
  "done",
  "refused",
];

const numberAt = 4;
const firstSubnetAt = 8;
const secondSubnetAt = 28;
const nameAt = 48;
const maxName = 15;

/** Why a message could not be read. */
export class MessageError extends Error {
  override readonly name = "MessageError";
  readonly code: RefusalCode;

  constructor(code: "malformed" | "version", detail: string) {
    super(`Cannot decode message: ${detail}`);
    this.code = code;
  }
}

export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(messageSize);
  const view = new DataView(bytes.buffer);
  bytes[0] = apiVersion;
  bytes[1] = kinds.indexOf(message.kind);
  view.setUint16(2, message.sequence);
  switch (message.kind) {
    case "openDevice":
      view.setUint32(numberAt, message.mtu);
      encodeSubnet(bytes, firstSubnetAt, message.v4);
      encodeSubnet(bytes, secondSubnetAt, message.v6);
      break;
    case "addRoute":
    case "deleteRoute":
      encodeSubnet(bytes, firstSubnetAt, message.subnet);
      break;
    case "setResolver": {
      const { nameserver } = message;
      encodeSubnet(
        bytes,
        firstSubnetAt,
        new Subnet(nameserver, nameserver.bits),
      );
      break;
    }
    case "held":
      view.setUint32(numberAt, message.uid);
      break;
    case "device":
      bytes.set(new TextEncoder().encode(message.name), nameAt);
      break;
    case "refused":
      view.setUint32(numberAt, refusalCodes.indexOf(message.code));
  }
  return bytes;
}

/**
 * Reads a message. There is one way to write each: what {@link encodeMessage} would not write is refused.
 *
 * @throws {MessageError}
 */
export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes.length !== messageSize) {
    throw new MessageError("malformed", `${bytes.length} octets`);
  }
  if (bytes[0] !== apiVersion) {
    throw new MessageError("version", `version ${bytes[0]}`);
  }
  const message = readMessage(bytes);
  const again = encodeMessage(message);
  if (!again.every((octet, i) => octet === bytes[i])) {
    throw new MessageError("malformed", `stray octets in ${message.kind}`);
  }
  return message;
}

function readMessage(bytes: Uint8Array): Message {
  const view = new DataView(bytes.buffer, bytes.byteOffset, messageSize);
  const kind = kinds[bytes[1]!];
  const sequence = view.getUint16(2);
  const number = view.getUint32(numberAt);
  switch (kind) {
    case undefined:
      throw new MessageError("malformed", `kind ${bytes[1]}`);
    case "openDevice": {
      const v4 = decodeSubnet(bytes, firstSubnetAt, [4, 0]);
      const v6 = decodeSubnet(bytes, secondSubnetAt, [6, 0]);
      return {
        kind,
        sequence,
        mtu: number,
        ...v4 ? { v4 } : {},
        ...v6 ? { v6 } : {},
      };
    }
    case "addRoute":
    case "deleteRoute":
      return { kind, sequence, subnet: needSubnet(bytes) };
    case "setResolver": {
      const { base, prefix } = needSubnet(bytes);
      if (prefix !== base.bits) {
        throw new MessageError("malformed", `address with prefix ${prefix}`);
      }
      return { kind, sequence, nameserver: base };
    }
    case "held":
      return { kind, sequence, uid: number };
    case "device":
      return { kind, sequence, name: decodeName(bytes) };
    case "refused": {
      const code = refusalCodes[number];
      if (code === undefined) {
        throw new MessageError("malformed", `refusal ${number}`);
      }
      return { kind, sequence, code };
    }
    default:
      return { kind, sequence };
  }
}

function encodeSubnet(
  bytes: Uint8Array,
  at: number,
  subnet: Subnet | undefined,
): void {
  if (subnet === undefined) return;
  bytes[at] = subnet.family;
  bytes[at + 1] = subnet.prefix;
  bytes.set(subnet.base.bytes, at + 4);
}

function decodeSubnet(
  bytes: Uint8Array,
  at: number,
  families: number[],
): Subnet | undefined {
  const [family, prefix] = [bytes[at]!, bytes[at + 1]!];
  if (!families.includes(family)) {
    throw new MessageError("malformed", `family ${family}`);
  }
  if (family === 0) return undefined;
  const octets = family === 4 ? 4 : 16;
  if (prefix > octets * 8) {
    throw new MessageError("malformed", `prefix ${prefix}`);
  }
  return new Subnet(Ip.of(bytes.subarray(at + 4, at + 4 + octets)), prefix);
}

function needSubnet(bytes: Uint8Array): Subnet {
  return decodeSubnet(bytes, firstSubnetAt, [4, 6])!;
}

function decodeName(bytes: Uint8Array): string {
  const field = bytes.subarray(nameAt, nameAt + maxName + 1);
  const name = String.fromCharCode(...field).replace(/\0+$/, "");
  if (!/^[a-z0-9]{1,15}$/.test(name)) {
    throw new MessageError("malformed", "name of a device");
  }
  return name;
}
