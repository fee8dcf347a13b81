/** What another program takes away of the device on a real host of its own, and the daemon is asked to set again. */
import assert from "node:assert/strict";
import { connectedTest, eventually, subnets } from "./daemon_connected.ts";

connectedTest(
  "routes, addresses and what bars the way behind them are set again",
  async ({ host, connector, before }) => {
    const ways = "for f in -4 -6; do ip $f route; ip $f -o address show tp0; " +
      "done | grep -v ' office ' | sed 's/ proto.*//' | sort";
    const connected = await host.sh(ways);
    const takings = [
      "ip route flush dev tp0; ip -6 route flush dev tp0",
      "ip address flush dev tp0",
      "for f in -4 -6; do ip $f route flush type unreachable; " +
      "ip $f route flush dev tp0; done",
    ];
    for (const taking of takings) {
      assert.equal(await host.sh(taking), "", taking);
      for (
        const subnet of [...subnets.split(","), "10.96.0.0/12", "fd10::/108"]
      ) assert.equal(await connector.ask(`route ${subnet}`), "done", subnet);
      assert.equal(await host.sh(ways), connected, taking);
    }
    assert.equal(await connector.ask("close"), "ended closed");
    await connector[Symbol.asyncDispose]();
    await eventually(() => host.state(), before);
  },
);
