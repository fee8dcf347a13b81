/** Messages of rtnetlink(7): links, addresses and routes as octets, in the byte order of the machine (little-endian). */
import { Ip, Subnet } from "../net/mod.ts";

/** Kinds of messages. */
export const rtm = {
  newLink: 16,
  deleteLink: 17,
  newAddress: 20,
  getAddress: 22,
  newRoute: 24,
  deleteRoute: 25,
  getRoute: 26,
  getRule: 34,
} as const;

/** Flags of a message's header (netlink(7)). */
export const nlm = {
  request: 1,
  ack: 4,
  exclusive: 0x200,
  create: 0x400,
  dump: 0x300,
} as const;

/** Kinds of messages that end an answer. */
const error = 2;
const done = 3;

const family = { 4: 2, 6: 10 } as const;
const mainTable = 254;
const localTable = 255;
/** What is looked up without a rule of somebody's: unspecified, default, main, local. */
const usualTables: ReadonlySet<number> = new Set([
  0,
  253,
  mainTable,
  localTable,
]);
/** Who set the route (rtnetlink(7)): 2 the kernel, 4 an administrator, 9 a router's advertisement. */
const protocol = { kernel: 2, static: 4, advertised: 9 } as const;

export interface Message {
  type: number;
  flags: number;
  sequence: number;
  /** What follows the header: the fixed part of the kind and its attributes. */
  body: Uint8Array;
}

/** A message with its header of 16 octets. */
export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16 + message.body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, message.type, true);
  view.setUint16(6, message.flags, true);
  view.setUint32(8, message.sequence, true);
  bytes.set(message.body, 16);
  return bytes;
}

/** The messages of one datagram from the kernel. What is cut off or too short is left out. */
export function decodeMessages(datagram: Uint8Array): Message[] {
  const view = viewOf(datagram);
  const messages: Message[] = [];
  for (let at = 0; at + 16 <= datagram.length;) {
    const length = view.getUint32(at, true);
    if (length < 16 || at + length > datagram.length) break;
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      body: datagram.subarray(at + 16, at + length),
    });
    at += align(length);
  }
  return messages;
}

/** The number of the error (0 is success) that this message tells, if it ends an answer. */
export function endOfAnswer({ type, body }: Message): number | undefined {
  if (type === done) return 0;
  if (type !== error || body.length < 4) return undefined;
  return 0 - viewOf(body).getInt32(0, true);
}

/** Sets the device up, its MTU in octets, and how many packets may wait in it to be read. */
export function linkUp(
  index: number,
  { mtu, queuePackets }: { mtu: number; queuePackets: number },
): Uint8Array {
  const up = 1;
  return join(
    link(index, up),
    attribute(4, /* IFLA_MTU */ u32(mtu)),
    attribute(13, /* IFLA_TXQLEN */ u32(queuePackets)),
  );
}

/** The fixed part of a message about one link. */
export function link(index: number, flags = 0): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = viewOf(bytes);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, flags, true); // which flags change
  return bytes;
}

/** An address of a device; the kernel adds the route of its subnet. */
export function address(
  ip: Ip,
  { prefix, index }: { prefix: number; index: number },
): Uint8Array {
  const fixed = new Uint8Array(8);
  const view = viewOf(fixed);
  fixed[0] = family[ip.family];
  fixed[1] = prefix;
  // IFA_F_NODAD: nobody else is on a TUN device, and a tentative address cannot be a route's source.
  fixed[2] = ip.family === 6 ? 2 : 0;
  view.setUint32(4, index, true);
  return join(
    fixed,
    attribute(2, /* IFA_LOCAL */ ip.bytes),
    attribute(1, /* IFA_ADDRESS */ ip.bytes),
  );
}

/** A route: through a device, or to nowhere. */
export interface RouteOptions {
  subnet: Subnet;
  /** Absent: the destination is unreachable. */
  index?: number;
  /** The address that flows to the destination start from. */
  source?: Ip;
  /** Absent: the kernel's default (0 for IPv4, 1024 for IPv6). */
  metric?: number;
}

export function route(options: RouteOptions): Uint8Array {
  const { subnet, index, source, metric } = options;
  const fixed = new Uint8Array(12);
  fixed[0] = family[subnet.family];
  fixed[1] = subnet.prefix;
  fixed[4] = mainTable;
  fixed[5] = protocol.static;
  // RT_SCOPE_LINK: the destination is reached through the device without a gateway.
  fixed[6] = index !== undefined && subnet.family === 4 ? 253 : 0;
  fixed[7] = index === undefined ? 7 /* RTN_UNREACHABLE */ : 1 /* UNICAST */;
  return join(
    fixed,
    attribute(1, /* RTA_DST */ subnet.base.bytes),
    ...index === undefined ? [] : [attribute(4, /* RTA_OIF */ u32(index))],
    ...source === undefined
      ? []
      : [attribute(7, /* RTA_PREFSRC */ source.bytes)],
    ...metric === undefined
      ? []
      : [attribute(6, /* RTA_PRIORITY */ u32(metric))],
  );
}

/** Asks for all routes, rules or addresses, of both families. */
export function dumpRequest(fixedLength: 8 | 12): Uint8Array {
  return new Uint8Array(fixedLength);
}

/** An address of the host, as a dump of addresses tells it. */
export interface HostAddress {
  /** The subnet that is reached through the device without a gateway. */
  subnet: Subnet;
  index: number;
}

/** `undefined` for what is no IP address. */
export function decodeAddress(body: Uint8Array): HostAddress | undefined {
  if (body.length < 8) return undefined;
  const octets = attributes(body.subarray(8)).get(1 /* IFA_ADDRESS */);
  const subnet = subnetOf(body[0]!, octets, body[1]!);
  return subnet && { subnet, index: viewOf(body).getUint32(4, true) };
}

/** A route of the host, as a dump of routes tells it. */
export interface HostRoute {
  subnet: Subnet;
  /** Absent for a route to nowhere, or one with several next hops. */
  index?: number;
  /** True when the kernel or a router says that the destination is on the link itself. */
  onLink: boolean;
  /** Number of the table that holds it. */
  table: number;
}

/** `undefined` for what is no IP route, and for the kernel's own table of the host's addresses. */
export function decodeRoute(body: Uint8Array): HostRoute | undefined {
  if (body.length < 12 || body[4] === localTable) return undefined;
  const found = attributes(body.subarray(12));
  const table = tableOf(body, found);
  const any = new Uint8Array(body[0] === family[4] ? 4 : 16);
  const subnet = subnetOf(body[0]!, found.get(1) ?? any, body[1]!);
  if (subnet === undefined) return undefined;
  const device = found.get(4 /* RTA_OIF */);
  // RTA_GATEWAY, RTA_MULTIPATH, RTA_VIA, RTA_NH_ID
  const hasGateway = [5, 9, 18, 30].some((type) => found.has(type));
  return {
    subnet,
    ...device ? { index: viewOf(device).getUint32(0, true) } : {},
    onLink: device !== undefined && !hasGateway &&
      (body[5] === protocol.kernel || body[5] === protocol.advertised),
    table,
  };
}

/** The table that a rule of the host sends flows to, beside those that every host has; `undefined` when it is no such rule. */
export function decodeRuleTable(body: Uint8Array): number | undefined {
  const toTable = 1; // FR_ACT_TO_TBL
  if (body.length < 12 || body[7] !== toTable) return undefined;
  const table = tableOf(body, attributes(body.subarray(12)));
  return usualTables.has(table) ? undefined : table;
}

/** The number in the header has one octet; RTA_TABLE and FRA_TABLE, which are the same, have four. */
function tableOf(body: Uint8Array, found: Map<number, Uint8Array>): number {
  const table = found.get(15);
  return table?.length === 4 ? viewOf(table).getUint32(0, true) : body[4]!;
}

function subnetOf(
  number: number,
  octets: Uint8Array | undefined,
  prefix: number,
): Subnet | undefined {
  const length = number === family[4] ? 4 : number === family[6] ? 16 : -1;
  if (octets?.length !== length || prefix > length * 8) return undefined;
  return new Subnet(Ip.of(octets), prefix);
}

/** The attributes by type; a broken one ends the list. */
function attributes(bytes: Uint8Array): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  const view = viewOf(bytes);
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > bytes.length) break;
    // The two highest bits say how the value is written, not what it is.
    const type = view.getUint16(at + 2, true) & 0x3fff;
    found.set(type, bytes.subarray(at + 4, at + length));
    at += align(length);
  }
  return found;
}

function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(align(4 + value.length));
  const view = viewOf(bytes);
  view.setUint16(0, 4 + value.length, true);
  view.setUint16(2, type, true);
  bytes.set(value, 4);
  return bytes;
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, true);
  return bytes;
}

function join(...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Messages and attributes begin at multiples of four octets. */
function align(length: number): number {
  return (length + 3) & ~3;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
