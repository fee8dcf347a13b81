/** Networks of a laptop's own whose addresses are those of the cluster: a bridge with a container, and a VPN. */
import { type Laptop, must, waitFor } from "../cluster/mod.ts";

/** What everybody there answers on port 8080, whatever the address. */
export const ownAnswer = "one of the laptop's own\n";

/** The laptop's address in the VPN, and the other side of it. */
const vpn = { laptop: "10.8.0.2", peer: "10.8.0.1" };

const server = `
  Deno.serve(
    { hostname: "::", port: 8080, onListen: () => {} },
    () => new Response(${JSON.stringify(ownAnswer)}),
  );
`;

/** Dispose of it while the laptop is there. */
export class HostNetworks implements AsyncDisposable {
  readonly #laptop: Laptop;
  readonly #server: Deno.ChildProcess;

  private constructor(laptop: Laptop, server: Deno.ChildProcess) {
    this.#laptop = laptop;
    this.#server = server;
  }

  /** A machine that is a container to the laptop, and what is behind its VPN; linked to it by neither yet. */
  static async open(laptop: Laptop): Promise<HostNetworks> {
    const script = `
      ip netns add box
      ip -n box link set lo up
      ip link add vpn0 type veth peer name vpn0 netns box
      ip addr add ${vpn.laptop}/24 dev vpn0
      ip link set vpn0 up
      ip -n box addr add ${vpn.peer}/24 dev vpn0
      ip -n box link set vpn0 up
    `;
    await must(laptop.command(["sh", "-euc", script]));
    const child = laptop.spawn(
      ["ip", "netns", "exec", "box", Deno.execPath(), "eval", server],
      { env: { DENO_NO_UPDATE_CHECK: "1" } },
    );
    const networks = new HostNetworks(laptop, child);
    await waitFor("the laptop's own server", async () => {
      const { stdout } = await networks.curl(`http://${vpn.peer}:8080/`);
      return stdout === ownAnswer || stdout;
    }, { timeoutMs: 20_000, everyMs: 200 });
    return networks;
  }

  curl(url: string) {
    return this.#laptop.run(["curl", "-sS", "-m", "10", url]);
  }

  /** A bridge as Docker makes one. `first` is its own address, `others` are its containers'. */
  async bridge(first: readonly string[], others: readonly string[]) {
    await this.#sh([
      "ip link add docker0 type bridge",
      "ip link add to-box type veth peer name eth0 netns box",
      "ip link set to-box master docker0 up",
      ...first.map((address) => `ip addr add ${address} dev docker0 nodad`),
      "ip link set docker0 up",
      "ip -n box link set eth0 up",
      ...others.map((address) =>
        `ip -n box addr add ${address} dev eth0 nodad`
      ),
    ]);
    await waitFor("the bridge", async () => {
      const { stdout } = await this.#laptop.run(
        ["ip", "-o", "link", "show", "docker0"],
      );
      return stdout.includes("state UP") || stdout;
    }, { timeoutMs: 10_000, everyMs: 50 });
  }

  /** Routes a subnet through the VPN, in a table of the VPN's own if it says which; everybody in it answers. */
  async vpn(subnet: string, { table = "main" } = {}): Promise<void> {
    await this.#sh([
      `ip -n box route replace local ${subnet} dev lo`,
      ...table === "main" ? [] : [`ip rule add pref 5270 lookup ${table}`],
      `ip route add ${subnet} dev vpn0 table ${table}`,
    ]);
  }

  async endVpn(subnet: string, { table = "main" } = {}): Promise<void> {
    await this.#sh([
      `ip route del ${subnet} dev vpn0 table ${table}`,
      ...table === "main" ? [] : [`ip rule del pref 5270`],
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.kill("SIGKILL");
    await this.#server.status;
    await this.#sh(["ip netns del box"]);
  }

  async #sh(lines: readonly string[]): Promise<void> {
    await must(this.#laptop.command(["sh", "-eux"]), {
      stdin: lines.join("\n"),
    });
  }
}
