/** Tells in a line of each change of this network namespace that a HostWatch notices what there is then. */
// deno-lint-ignore-file no-console -- the test reads the lines
import { HostWatch } from "../../connector/network/host_watch.ts";
import { HostNameservers } from "../../connector/network/nameservers.ts";
import { readHostRoutes } from "../../vpn/mod.ts";

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
  onWake: () => {},
  pollMs: 3_600_000, // the kernel's word alone
});
console.log("ready");
for await (const _ of Deno.stdin.readable);
