/** The subnets of IPv4 that are routed to the cluster, however briefly. */
import assert from "node:assert/strict";
import { Subnet } from "../../net/mod.ts";
import type { Laptop } from "../cluster/mod.ts";

/** Begins to collect them; at the end there must be some. */
export function watchRoutes(laptop: Laptop) {
  const child = laptop.spawn(["ip", "-4", "monitor", "route"], {
    stdout: "piped",
  });
  return {
    end: async () => {
      child.kill("SIGTERM");
      const text = new TextDecoder().decode((await child.output()).stdout);
      const routed = text.split("\n")
        .filter((line) => /^\d\S* dev tp0/.test(line))
        .map((line) => Subnet.parse(line.split(" ")[0]!));
      assert.ok(routed.length > 0, text);
      return routed;
    },
  };
}
