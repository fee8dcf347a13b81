/** What the kernel tells the connector of its host, in a network namespace of its own. */
import assert from "node:assert/strict";
import { Namespace } from "./daemon_namespace.ts";

const script = new URL("host_watch_script.ts", import.meta.url).pathname;
/** What is the tunnel's own is no change of the host, nor is a table that no rule leads to. */
const noChanges = [
  "ip tuntap add dev tp0 mode tun",
  "ip link set tp0 up",
  "ip route add 10.96.0.0/12 dev tp0",
  "ip route add 198.51.100.0/24 dev office table 77",
];
/** What changes on a laptop that goes from one network to another, and what is to be seen of it then. */
const changes: [command: string, isSeen: RegExp][] = [
  ["ip address add 192.0.2.77/24 dev office", /office 192\.0\.2\.77/],
  [
    "ip route add 203.0.113.0/24 via 192.0.2.254",
    /203\.0\.113\.0\/24 via 192\.0\.2\.254/,
  ],
  [
    "ip -6 route add 2001:db8:1::/48 dev office",
    /2001:db8:1::\/48 dev office/,
  ],
  ["ip rule add pref 5000 lookup 77", /198\.51\.100\.0\/24 dev office/],
  ["ip route del 203.0.113.0/24", /^(?!.*203\.0\.113\.0\/24)/],
  ["ip link set office down", /^(?!.*2001:db8:1::\/48)/],
];

Deno.test({
  name:
    "HostWatch is told of routes, addresses and links at once, and of ours that are taken away",
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0,
  fn: async () => {
    await using host = await Namespace.open();
    await using watch = host.start(
      [Deno.execPath(), "run", "-A", "--quiet", script],
      { stdin: true },
    );
    assert.equal(await watch.line(), "ready");
    for (const change of noChanges) {
      assert.equal(await host.sh(change), "", change);
    }
    assert.equal(await watch.line(), "has 10.96.0.0/12");
    assert.equal(await host.sh("ip route del 10.96.0.0/12 dev tp0"), "");
    assert.equal(await watch.line(), "lacks 10.96.0.0/12");
    assert.equal(await host.sh("ip route add 10.96.0.0/12 dev tp0"), "");
    assert.equal(await watch.line(), "has 10.96.0.0/12");
    for (const [change, isSeen] of changes) {
      assert.equal(await host.sh(change), "", change);
      assert.match((await watch.line())!, isSeen, change);
    }
  },
});
