/**
 * What crosses between connector and daemon: messages of 320 octets over a Unix socket that keeps their boundaries
 * (SOCK_SEQPACKET), or, on macOS, has them put together again. The connector asks one thing at a time and is answered in
 * order; end-of-file from the connector is the last word. Numbers are in network order, unused octets zero.
 *
 * | octets | field |
 * |---|---|
 * | 0 | version of this protocol |
 * | 1 | kind |
 * | 2-3 | sequence: counted by the connector, repeated in the answer |
 * | 4-7 | number: MTU, uid, refusal code, reason of an edge, use of a zone |
 * | 8-27 | first subnet: family (4, 6, 0 absent), prefix, 2 zero octets, 16 octets of address |
 * | 28-47 | second subnet |
 * | 48-63 | name of a device, ended by zero |
 * | 64-319 | name of a zone, without final dot, ended by zero |
 */
import { Ip, Subnet } from "../net/mod.ts";
import { type EdgeReason, edgeReasons } from "../dns/edges/choose_edge.ts";
import { type RefusalCode, refusalCodes } from "./refusal.ts";

/** Lost with the kernel's state at a restart of the host, and readable to everybody. */
export const runDirectory = Deno.build.os === "darwin"
  ? "/var/run/tp"
  : "/run/tp";
export const daemonSocketPath = `${runDirectory}/daemon.sock`;
/** Where systemd listens in the daemon's stead, on a host that has it as a service. */
export const serviceSocketPath = "/run/tp-daemon.sock";
export const messageSize = 320;
export const apiVersion = 2;

/** How often the connector says that it lives. */
export const heartbeatMs = 500;

/**
 * What a zone is for: names in it are asked of ours, or short names are tried in it, too; or it is asked though it is a
 * top-level domain, since the user says so. The place in the list is the number on the wire.
 */
export const zoneUses = ["ask", "search", "ask-top-level"] as const;
export type ZoneUse = typeof zoneUses[number];

/** What the connector may say. */
export type Request =
  /** The first message: who says it holds the daemon. Others only look whether it is there. */
  | { kind: "hello" }
  | { kind: "heartbeat" }
  | { kind: "openDevice"; mtu: number; v4?: Subnet; v6?: Subnet }
  | { kind: "addRoute"; subnet: Subnet }
  | { kind: "deleteRoute"; subnet: Subnet }
  /** Counts with the next `setResolver`. */
  | { kind: "addZone"; zone: string; use: ZoneUse }
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
  /** It is set, by the edge that the reason leads to. */
  | { kind: "resolver"; reason: EdgeReason }
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
  "addZone",
  "resolver",
];

const numberAt = 4;
const firstSubnetAt = 8;
const secondSubnetAt = 28;
const nameAt = 48;
const maxName = 15;
const zoneAt = 64;
const maxZone = 253; // RFC 1035 section 2.3.4, in text

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
    case "addZone":
      view.setUint32(numberAt, zoneUses.indexOf(message.use));
      bytes.set(new TextEncoder().encode(message.zone), zoneAt);
      break;
    case "resolver":
      view.setUint32(numberAt, edgeReasons.indexOf(message.reason));
      break;
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
  // Messages of another version may have another size.
  if (bytes.length > 0 && bytes[0] !== apiVersion) {
    throw new MessageError("version", `version ${bytes[0]}`);
  }
  if (bytes.length !== messageSize) {
    throw new MessageError("malformed", `${bytes.length} octets`);
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
    case "addZone": {
      const use = zoneUses[number];
      if (use === undefined) {
        throw new MessageError("malformed", `use ${number}`);
      }
      return { kind, sequence, zone: decodeZone(bytes), use };
    }
    case "resolver": {
      const reason = edgeReasons[number];
      if (reason === undefined) {
        throw new MessageError("malformed", `reason ${number}`);
      }
      return { kind, sequence, reason };
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

/** Whether a zone can be told to the daemon at all. What zone it may be is the daemon's to say. */
export function isZoneText(zone: string): boolean {
  return zone.length <= maxZone && /^[\x21-\x7e]+$/.test(zone);
}

function decodeZone(bytes: Uint8Array): string {
  const zone = decodeText(bytes.subarray(zoneAt));
  if (!isZoneText(zone)) {
    throw new MessageError("malformed", "name of a zone");
  }
  return zone;
}

function decodeName(bytes: Uint8Array): string {
  const name = decodeText(bytes.subarray(nameAt, nameAt + maxName + 1));
  if (!/^[a-z0-9]{1,15}$/.test(name)) {
    throw new MessageError("malformed", "name of a device");
  }
  return name;
}

function decodeText(field: Uint8Array): string {
  return String.fromCharCode(...field).replace(/\0+$/, "");
}
