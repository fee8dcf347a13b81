/** Addresses, packets, byte flows and refusals: pure, below every other room. */
export { type Endpoint, formatEndpoint, Ip } from "./ip.ts";
export {
  compareSubnets,
  joinSubnets,
  Subnet,
  subtractSubnets,
} from "./subnet.ts";
export { reservedSubnets, shortestPrefix } from "./special_subnets.ts";
export { connPair } from "./conn_pair.ts";
export { type Conn, ConnResetError, type Datagrams, writeAll } from "./conn.ts";
export { ConnBehind } from "./conn_behind.ts";
export { DatagramInbox } from "./datagram_inbox.ts";
export { DnsFrameReader, encodeDnsFrame } from "./dns_frame.ts";
export { dnsHeaderOctets, hasDnsRecords, isDnsFailure } from "./dns_header.ts";
export { linesOf } from "./lines.ts";
export { readText } from "./read_text.ts";
export { pipe, type PipeOptions } from "./pipe.ts";
export { pipeBuffers } from "./pipe_buffers.ts";
export { forwardDatagrams, pipeDatagrams } from "./pipe_datagrams.ts";
export { quantum } from "./quantum.ts";
export { Rate, type RateOptions } from "./rate.ts";
export { Slots } from "./slots.ts";
export { type Refusal, refusals, RefusedError } from "./refusal.ts";
export { type Clock, systemClock } from "./clock.ts";
export { pause } from "./pause.ts";
export { udpIdleMs } from "./udp_idle.ts";
export { unlessAborted } from "./unless_aborted.ts";
export { writeAnswer } from "./write_answer.ts";
export * from "./packet/mod.ts";
