import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
// @ts-types="@types/dns-packet"
import packet from "dns-packet";
import { type Datagrams, Ip } from "../net/mod.ts";
import { type Dns, type DnsOptions, startDns } from "./dns.ts";
import type { DnsCluster } from "./dns_cluster.ts";

export const zones = {
  clusterDomain: "cluster.local",
  namespaces: new Set(["bakery"]),
  search: ["bakery"],
};
export const home = Ip.parse("127.0.0.1");

/** The id of the last {@link query}. */
export let lastId = 0;

/** Writes a query under an id of its own. */
export function query(
  name: string,
  { type = "A" as packet.RecordType, id = ++lastId } = {},
): Uint8Array {
  const flags = packet.RECURSION_DESIRED;
  return new Uint8Array(
    packet.encode({ type: "query", id, flags, questions: [{ type, name }] }),
  );
}

/** Reads a message with an independent decoder. */
export const decode = (bytes: Uint8Array) => packet.decode(Buffer.from(bytes));

/** Answers in the way of CoreDNS. */
export function respond(
  question: Uint8Array,
  options: Partial<packet.Packet> = {},
): Uint8Array {
  const { id, questions } = decode(question);
  return new Uint8Array(
    packet.encode({
      type: "response",
      id: id!,
      questions: questions!,
      ...options,
    }),
  );
}

export const address = (question: Uint8Array, data: string, ttl = 30) =>
  respond(question, {
    answers: [{
      type: "A",
      name: decode(question).questions![0]!.name,
      data,
      ttl,
    }],
  });
/** What a zone says of names and records that it lacks. */
export const soa: packet.Answer = {
  type: "SOA",
  name: "cluster.local",
  ttl: 30,
  data: { mname: "ns", rname: "admin", minimum: 5 },
};
export const noSuchName = (question: Uint8Array) =>
  respond(question, { flags: 3, authorities: [soa] });

/** Waits for one answer of a flow. */
export async function receive(flow: Datagrams): Promise<Uint8Array> {
  const into = new Uint8Array(65_535);
  const count = await flow.receive(into);
  assert.notEqual(count, null);
  return into.slice(0, count!);
}

/** Starts a DNS of a laptop without nameservers, and with one cluster which is silent, but for `options`. */
export function start(
  {
    zones: ofCluster,
    lookup,
    addresses,
    onProxied,
    lookupTimeoutMs,
    ...options
  }:
    & Partial<DnsOptions>
    & Partial<DnsCluster> = {},
): Dns {
  const cluster: DnsCluster = {
    zones: ofCluster ?? (() => zones),
    lookup: lookup ??
      (() => Promise.reject(new Error("no cluster in this test"))),
    ...addresses && { addresses },
    ...onProxied && { onProxied },
    ...lookupTimeoutMs && { lookupTimeoutMs },
  };
  const clusters = [cluster];
  return startDns({
    clusters: () => clusters,
    nameservers: () => [],
    ...options,
  });
}

/** What the answer says, in brief. */
export function gist(bytes: Uint8Array) {
  const { id, flags, answers } = decode(bytes);
  return {
    id,
    code: flags! & 15,
    answers: answers!.map((record) => (record as packet.StringAnswer).data),
  };
}
