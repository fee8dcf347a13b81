/**
 * What has to be undone, as a text that the guard (a shell script) and a later `tp` process read. A line is written before
 * the change that it names, except the device's, which vanishes with the process that opened it.
 *
 *     daemon 4711 1208000
 *     guard 4712 1208001
 *     resolver /etc/resolv.conf /etc/resolv.conf.tp-original /var/lib/tp/resolv.conf.original
 *     unreachable 198.18.0.0/29 4294967295
 *     device tp0 7
 *
 * The resolver comes first: it is what hurts most. On macOS it is another line, `resolver-files /etc/resolver`.
 */
import type { ResolverPlace } from "../dns/edges/leftover.ts";
import { Subnet } from "../net/mod.ts";
import type { ProcessId } from "../process/mod.ts";
import { type DeviceName, unreachableMetric } from "../vpn/device.ts";

export interface Journal {
  readonly daemon: ProcessId;
  readonly guard?: ProcessId;
  readonly resolver: ResolverPlace;
  readonly unreachable: readonly Subnet[];
  readonly device?: DeviceName;
}

export function formatJournal(journal: Journal): string {
  const { daemon, guard, resolver, unreachable, device } = journal;
  const lines = [
    ["daemon", daemon.pid, daemon.start],
    ...guard ? [["guard", guard.pid, guard.start]] : [],
    "directory" in resolver
      ? ["resolver-files", resolver.directory]
      : ["resolver", resolver.file, resolver.original, resolver.copy],
    ...unreachable.map((subnet) => ["unreachable", subnet, unreachableMetric]),
    ...device ? [["device", device.name, device.index]] : [],
  ];
  return lines.map((words) => words.join(" ") + "\n").join("");
}

/** `undefined` for a text that {@link formatJournal} does not write. */
export function parseJournal(text: string): Journal | undefined {
  let [daemon, guard, device]: [ProcessId?, ProcessId?, DeviceName?] = [];
  let resolver: ResolverPlace | undefined;
  const unreachable: Subnet[] = [];
  for (const line of text.split("\n")) {
    const [word, a = "", b = "", c = ""] = line.split(" ");
    if (word === "daemon") daemon = { pid: Number(a), start: b };
    else if (word === "guard") guard = { pid: Number(a), start: b };
    else if (word === "device") device = { name: a, index: Number(b) };
    else if (word === "resolver") resolver = { file: a, original: b, copy: c };
    else if (word === "resolver-files") resolver = { directory: a };
    else if (word === "unreachable") unreachable.push(Subnet.parse(a));
  }
  if (daemon === undefined || resolver === undefined) return undefined;
  return {
    daemon,
    ...guard ? { guard } : {},
    resolver,
    unreachable,
    ...device ? { device } : {},
  };
}
