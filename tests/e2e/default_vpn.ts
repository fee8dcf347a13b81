/** A VPN that takes all that a laptop sends: cluster and outside are reached through it alone. */
import { type Laptop, must, outside } from "../cluster/mod.ts";

/** How a VPN takes everything: by routes that go before the default one, or by a table that a rule asks first. */
export type DefaultVpnWay = "two halves" | "a table";

const gate = "10.8.0.1";
const ways: Readonly<Record<DefaultVpnWay, readonly string[]>> = {
  "two halves": [
    `ip route add 0.0.0.0/1 via ${gate} dev vpn0`,
    `ip route add 128.0.0.0/1 via ${gate} dev vpn0`,
  ],
  // As wg-quick does.
  "a table": [
    `ip route add default via ${gate} dev vpn0 table 51820`,
    "ip rule add pref 101 not fwmark 0xca6c table 51820",
    "ip rule add pref 100 table main suppress_prefixlength 0",
  ],
};

/** Starts the VPN; dispose of it to have the laptop's own ways back. */
export async function openDefaultVpn(
  laptop: Laptop,
  way: DefaultVpnWay,
): Promise<AsyncDisposable> {
  await using building = new AsyncDisposableStack();
  const sh = (lines: readonly string[]) =>
    must(laptop.command(["sh", "-eux"]), { stdin: lines.join("\n") });
  await sh(["ip netns add gate", "ip -n gate link set lo up"]);
  building.defer(async () => {
    await sh([
      "ip netns del gate",
      // That of util-linux leaves a directory of its own.
      "busybox umount /run/netns",
      "rmdir /run/netns",
    ]);
  });
  const holder = laptop.spawn(
    ["ip", "netns", "exec", "gate", "sh", "-c"]
      .concat("echo started; exec sleep infinity"),
    { stdin: "null", stdout: "piped" },
  );
  building.defer(async () => {
    holder.kill("SIGKILL");
    await holder.status;
  });
  const said = holder.stdout.getReader();
  await said.read();
  await said.cancel();
  await joinOutside(laptop, holder.pid);
  await moveClusterLink(laptop, { into: "gate" });
  building.defer(() => moveClusterLink(laptop, { into: "laptop" }));
  await sh([
    "ip link add vpn0 type veth peer name vpn0 netns gate",
    "ip addr add 10.8.0.2/24 dev vpn0",
    "ip link set vpn0 up",
    `ip -n gate addr add ${gate}/24 dev vpn0`,
    "ip -n gate link set vpn0 up",
    "ip netns exec gate sysctl -qw net.ipv4.ip_forward=1",
    "ip netns exec gate nft -f - <<'RULES'",
    "table ip gate {",
    "  chain out { type nat hook postrouting priority srcnat;",
    '    oifname != "vpn0" masquerade; }',
    "}",
    "RULES",
    ...ways[way],
  ]);
  building.defer(async () => {
    await sh([
      "ip link del vpn0",
      ...ways[way].filter((line) => line.startsWith("ip rule"))
        .map((line) => line.replace("add", "del")),
    ]);
  });
  const stack = building.move();
  return { [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** The gate's own link to the outside goes with the gate. */
async function joinOutside({ number }: Laptop, pid: number): Promise<void> {
  const inOutside = `vpn${number}`;
  const net = `172.30.${number}`;
  await must(["ip", "-n", outside.netns, "-batch", "-"], {
    stdin: [
      `link add ${inOutside} type veth peer name out netns ${pid}`,
      `addr add ${net}.1/24 dev ${inOutside}`,
      `link set ${inOutside} up`,
    ].join("\n"),
  });
  await must(
    ["nsenter", `--net=/proc/${pid}/ns/net`, "--", "ip", "-batch", "-"],
    {
      stdin: [
        `addr add ${net}.2/24 dev out`,
        "link set out up",
        `route add default via ${net}.1`,
      ].join("\n"),
    },
  );
}

/** A link that is moved has lost its addresses, and is given them again with the routes over it. */
async function moveClusterLink(
  laptop: Laptop,
  { into }: { into: "gate" | "laptop" },
): Promise<void> {
  const there = "ip netns exec gate";
  const [from, to, target] = into === "gate"
    ? ["", there, "gate"]
    : [there, "", "$$"];
  await must(laptop.command(["sh", "-eux"]), {
    stdin: [
      `addresses=$(${from} ip -o addr show dev cluster0 scope global | awk '{print $4}')`,
      `routes4=$(${from} ip -4 route show dev cluster0 | grep via | sed 's/ proto.*//')`,
      `routes6=$(${from} ip -6 route show dev cluster0 | grep via | sed 's/ metric.*//')`,
      `${from} ip link set cluster0 netns ${target}`,
      `for address in $addresses; do ${to} ip addr add $address dev cluster0 nodad; done`,
      `${to} ip link set cluster0 up`,
      `echo "$routes4" | while read -r route; do [ -z "$route" ] || ${to} ip -4 route add $route dev cluster0; done`,
      `echo "$routes6" | while read -r route; do [ -z "$route" ] || ${to} ip -6 route add $route dev cluster0; done`,
    ].join("\n"),
  });
}
