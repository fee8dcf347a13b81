import assert from "node:assert/strict";
import {
  parseRoutesV4,
  parseRoutesV6,
  readLinuxRoutes,
} from "./host_routes_linux.ts";

Deno.test("parseRoutesV4() reads subnets, gateways and metrics", () => {
  const text =
    `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	100	00000000	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
*	00000B0A	00000000	0201	0	0	0	00FFFFFF	0	0	0
`;
  assert.deepEqual(
    parseRoutesV4(text).map(({ subnet, device, gateway, metric }) =>
      `${subnet} ${device} ${gateway ?? "-"} ${metric}`
    ),
    ["0.0.0.0/0 eth0 192.0.2.1 100", "192.0.2.0/24 eth0 - 0"],
  );
});

Deno.test("parseRoutesV6() leaves out the host's own addresses, rejections and what each link has", () => {
  const zero = "0".repeat(32);
  const text =
    `fd000000000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0
fd000000000000000000000000000002 80 ${zero} 00 ${zero} 00000000 00000002 00000000 80200001     eth0
fd010000000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00440001    wlan0
fe800000000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0
ff000000000000000000000000000000 08 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0
${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo
`;
  assert.deepEqual(
    parseRoutesV6(text).map(({ subnet, device, onLink }) =>
      `${subnet} ${device} ${onLink}`
    ),
    ["fd00::/64 eth0 false", "fd01::/64 wlan0 true"],
  );
});

Deno.test("parsers of routes take an empty text as no route", () => {
  assert.deepEqual([...parseRoutesV4(""), ...parseRoutesV6("")], []);
});

Deno.test("readLinuxRoutes() finds the links of the host's own addresses", async () => {
  const links = (await readLinuxRoutes()).filter(({ onLink }) => onLink);
  const own = Deno.networkInterfaces().map(({ name }) => name);
  assert.ok(links.every(({ device }) => own.includes(device)));
  assert.ok(links.every(({ gateway }) => gateway === undefined));
});
