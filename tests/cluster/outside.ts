import { alone } from "./lock.ts";
import { must } from "./command.ts";
import {
  inNetns,
  ipBatch,
  netnsExists,
  netnsPids,
  removeNetns,
} from "./netns.ts";
import { killAll } from "./cgroup.ts";
import { installPackages } from "./packages.ts";
import { statePath } from "./paths.ts";
import { livePid, logPath, startProcess, stopProcess } from "./process.ts";
import { waitFor } from "./wait.ts";

/**
 * The world outside: what a laptop reaches by its default route, with or without a cluster. One network namespace, the
 * same for all laptops, with a DNS server and a web server; other addresses are answered "network unreachable".
 */
export const outside = {
  netns: "tp-outside",
  /** The laptops' nameserver. It knows the names below; all others do not exist. */
  dns: { ipv4: "198.51.100.53", ipv6: "2001:db8:ffff::53" },
  /** A web server at port 80; its page is {@link outside.page}. */
  web: { ipv4: "198.51.100.10", ipv6: "2001:db8:ffff::10" },
  page: "hello from outside\n",
  /** Has the web server's addresses, and a TXT record. */
  name: "outside.example.test",
  text: "hello from outside",
  /** A CNAME of {@link outside.name}. */
  alias: "alias.example.test",
  /** Has a TXT record that no UDP answer holds: it comes truncated, and whole over TCP. */
  bigName: "big.example.test",
  /** What the DNS server was asked, a line each. */
  dnsLog: logPath("outside-dns"),
} as const;

const processes = ["outside-dns", "outside-web"] as const;

/** Starts the outside world unless it runs. */
export async function startOutside(): Promise<void> {
  if (isRunning()) return;
  await alone(async () => {
    if (isRunning()) return;
    await installPackages();
    await removeOutside();
    await makeNetwork();
    await Deno.mkdir(statePath("outside"), { recursive: true });
    await Deno.writeTextFile(statePath("outside/index.html"), outside.page);
    await startProcess({
      name: "outside-dns",
      argv: inNetns(outside.netns, ["dnsmasq", ...dnsmasqFlags()]),
    });
    const root = statePath("outside");
    await startProcess({
      name: "outside-web",
      argv: inNetns(outside.netns, ["busybox", "httpd", "-f", "-h", root])
        .concat("-p", "[::]:80"),
    });
    await waitFor("DNS and web server of the outside world", async () => {
      const sockets = await must(
        inNetns(outside.netns, ["ss", "-Hlntu", "sport = 53 or sport = 80"]),
      );
      return sockets.trim().split("\n").length >= 5 || sockets;
    }, { timeoutMs: 10_000, everyMs: 10 });
  });
}

/** Ends the outside world and removes it. */
export async function removeOutside(): Promise<void> {
  for (const name of processes) await stopProcess(name);
  if (await netnsExists(outside.netns)) {
    await killAll(outside.netns, () => netnsPids(outside.netns));
  }
  await removeNetns(outside.netns);
}

function isRunning(): boolean {
  return processes.every((name) => livePid(name) !== undefined);
}

async function makeNetwork(): Promise<void> {
  await must(["ip", "netns", "add", outside.netns]);
  await ipBatch(outside.netns, [
    "link set lo up",
    ...[outside.dns, outside.web].flatMap(({ ipv4, ipv6 }) => [
      `addr add ${ipv4}/32 dev lo`,
      `addr add ${ipv6}/128 dev lo nodad`,
    ]),
  ]);
  await must(
    inNetns(outside.netns, [
      "sysctl",
      "-qw",
      "net.ipv4.ip_forward=1",
      "net.ipv6.conf.all.forwarding=1",
      "net.ipv6.conf.default.accept_dad=0",
      "net.ipv4.icmp_ratelimit=0",
      "net.ipv6.icmp.ratelimit=0",
    ]),
  );
}

/** dnsmasq as an authority for a handful of names. */
export function dnsmasqFlags(): string[] {
  const { ipv4, ipv6 } = outside.web;
  const piece = "0123456789abcdef".repeat(15);
  const bigText = Array.from({ length: 24 }, () => piece).join(",");
  return [
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--pid-file=",
    "--user=root",
    "--no-resolv",
    "--no-hosts",
    "--bind-interfaces",
    "--log-queries",
    "--log-facility=-",
    "--local-ttl=60",
    `--listen-address=${outside.dns.ipv4}`,
    `--listen-address=${outside.dns.ipv6}`,
    `--host-record=${outside.name},${ipv4},${ipv6}`,
    `--txt-record=${outside.name},${outside.text}`,
    `--txt-record=${outside.bigName},${bigText}`,
    `--cname=${outside.alias},${outside.name}`,
    "--address=/#/",
  ];
}
