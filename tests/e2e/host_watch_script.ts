/**
 * Tells in a line of each change of this network namespace that a HostWatch notices what there is then, and of a route of
 * ours that is there, and is not any more.
 */
// deno-lint-ignore-file no-console -- the test reads the lines
import { HostWatch } from "../../connector/network/host_watch.ts";
import { HostNameservers } from "../../connector/network/nameservers.ts";
import { readHostRoutes } from "../../vpn/mod.ts";

const ours = "10.96.0.0/12";
let isThere = false;

await using _watch = await HostWatch.start({
  nameservers: new HostNameservers(),
  device: "tp0",
  onChange: async () => {
    const routes = (await readHostRoutes()).map(({ subnet, gateway, device }) =>
      gateway ? `${subnet} via ${gateway}` : `${subnet} dev ${device}`
    );
    const addresses = Deno.networkInterfaces()
      .map(({ name, address }) => `${name} ${address}`);
    console.log([...addresses, ...routes].join("; "));
  },
  ours: {
    lacks: (routes) => {
      const was = isThere;
      isThere = routes.some(({ subnet }) => String(subnet) === ours);
      if (isThere && !was) console.log(`has ${ours}`);
      return was && !isThere;
    },
    onLack: () => console.log(`lacks ${ours}`),
  },
  onWake: () => {},
  pollMs: 3_600_000, // the kernel's word alone
});
console.log("ready");
for await (const _ of Deno.stdin.readable);
