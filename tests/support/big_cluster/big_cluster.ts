/**
 * A cluster of a size that no test machine holds: a fake API server that speaks the real protocol, and before it the real
 * manager, in a place of their own.
 *
 * 1. The API server is started; what the manager finds in its pod is laid out.
 * 2. The manager is started and waited for, as the kubelet does, by its readiness probe.
 * 3. Laptops are linked to the API server, and to nothing else.
 *
 * Behind every address of a pod or a service is one host: a DNS server that knows every service, a web server, and what
 * {@link BigCluster.start} starts.
 */
import { probePort } from "../../../manager/api.ts";
import { pem } from "../../../k8s/_api_server_fake.ts";
import {
  type ClusterOfLaptop,
  type CommandResult,
  installPackages,
  type Laptop,
  must,
  run,
  waitFor,
} from "../../cluster/mod.ts";
import { executable } from "../laptop_tp.ts";
import { type Counts, token } from "./answers.ts";
import { lines } from "./lines.ts";
import { childOf, Place } from "./place.ts";
import type { Order } from "./serve.ts";
import { places, serviceAddress, type Shape } from "./shape.ts";

/** What every service answers at port 80. */
export const page = "hello from a large cluster\n";

const folder = "/run/secrets/kubernetes.io/serviceaccount";

export class BigCluster implements AsyncDisposable {
  readonly #place: Place;
  readonly #server: Deno.ChildProcess;
  readonly #answers: AsyncGenerator<string>;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #managerPid = 0;
  #readyMs = 0;
  readonly #children: Deno.ChildProcess[] = [];

  private constructor(place: Place, server: Deno.ChildProcess) {
    this.#place = place;
    this.#server = server;
    this.#answers = lines(server.stdout);
    this.#orders = server.stdin.getWriter();
  }

  /** Resolves when the manager is ready. */
  static async open(shape: Shape): Promise<BigCluster> {
    await installPackages();
    const place = await Place.open();
    const script = new URL("serve.ts", import.meta.url).pathname;
    const server = place.start(
      [Deno.execPath(), "run", "-A", "--quiet", script, JSON.stringify(shape)],
      { stdin: "piped", stdout: "piped", stderr: "inherit" },
    );
    const cluster = new BigCluster(place, server);
    try {
      await cluster.#answer();
      await cluster.#startServers();
      await cluster.#startManager();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The manager's process. */
  get managerPid(): number {
    return this.#managerPid;
  }

  /** How long the manager took from its start until it was ready. */
  get readyMs(): number {
    return this.#readyMs;
  }

  /** What was asked since the last call. */
  async counts(): Promise<Counts> {
    return await this.#tell({ order: "counts" }) as Counts;
  }

  /** Changes objects: see {@link Order}. */
  async change(order: Exclude<Order, { order: "counts" }>): Promise<void> {
    await this.#tell(order);
  }

  /** Starts a server behind all addresses of pods and services; it ends with the cluster. */
  start(argv: readonly string[], env: Record<string, string> = {}): void {
    this.#children.push(this.#place.start(argv, { env }));
  }

  /** A command in the cluster's network. */
  command(argv: readonly string[]): string[] {
    return this.#place.command(argv);
  }

  /** What a laptop must know of it. */
  get ofLaptop(): ClusterOfLaptop {
    return {
      isBed: false,
      apiServerAddress: places.apiServer,
      kubectlPath: "/usr/bin/kubectl",
      kubectl: () => Promise.resolve(printed(kubeconfig)),
      linkLaptop: (netns, number) => this.#link(netns, number),
    };
  }

  /** Links a laptop that is beside another cluster to this one, too; the text of a kubeconfig for it. */
  async alsoLink({ netns, number }: Laptop): Promise<string> {
    await this.#link(netns, number, "cluster1");
    return kubeconfig;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#orders.close().catch(() => {});
    await this.#answers.return(undefined);
    await this.#place[Symbol.asyncDispose]();
    for (const child of [this.#server, ...this.#children]) await child.status;
  }

  async #startServers(): Promise<void> {
    await this.#place.run(`mkdir /run/www
printf %s '${page}' >/run/www/index.html`);
    this.start(["busybox", "httpd", "-f", "-h", "/run/www", "-p", "80"]);
    this.start([
      ...["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null"],
      ...["--pid-file=", "--user=root", "--no-resolv", "--no-hosts"],
      ...["--bind-interfaces", `--listen-address=${places.dns}`],
      ...[`--address=/svc.cluster.local/${serviceAddress(0)}`, "--address=/#/"],
    ]);
  }

  async #startManager(): Promise<void> {
    await this.#place.run(`mkdir -p ${folder}
cat >${folder}/ca.crt <<'END'
${pem("ca.pem")}
END
printf %s ${token} >${folder}/token
printf %s ${places.managerNamespace} >${folder}/namespace
printf 'nameserver ${places.dns}\\nsearch ${places.managerNamespace}.svc.cluster.local svc.cluster.local cluster.local\\n' >/run/resolv.conf
mount --bind /run/resolv.conf /etc/resolv.conf
ip addr add ${places.apiServer.host} dev lo`);
    const startMs = performance.now();
    const child = this.#place.start([executable, "manager"], {
      env: {
        KUBERNETES_SERVICE_HOST: "127.0.0.1",
        KUBERNETES_SERVICE_PORT: String(places.apiServer.port),
        POD_NAMESPACE: places.managerNamespace,
        POD_IPS: places.manager,
      },
    });
    this.#children.push(child);
    const url = `http://127.0.0.1:${probePort}/readyz`;
    const probe = ["curl", "-sS", "-m", "1", "-o", "/dev/null", "-f", url];
    await waitFor("manager of the big cluster", async () => {
      const { code, stderr } = await run(this.command(probe));
      return code === 0 || stderr;
    }, { everyMs: 20 });
    this.#readyMs = performance.now() - startMs;
    this.#managerPid = await childOf(child.pid);
  }

  async #link(
    netns: string,
    number: number,
    device = "cluster0",
  ): Promise<string> {
    const subnet = `192.0.2.${number % 64 * 4}`;
    const [gateway, own] = [1, 2].map((n) =>
      subnet.replace(/\d+$/, (base) => String(Number(base) + n))
    );
    const link = `lap${number}`;
    // Made from this side: a name of a network namespace is known out here only.
    const pid = this.command([])[4]!.slice("--target=".length);
    await must([
      ...["ip", "-n", netns, "link", "add", device, "type", "veth"],
      ...["peer", "name", link, "netns", pid],
    ]);
    await this.#place.run(`ip addr add ${gateway}/30 dev ${link}
ip link set ${link} up`);
    await must(["ip", "-n", netns, "-batch", "-"], {
      stdin: [
        `addr add ${own}/30 dev ${device}`,
        `link set ${device} up`,
        `route add ${places.apiServer.host} via ${gateway}`,
      ].join("\n"),
    });
    return "";
  }

  async #tell(order: Order): Promise<unknown> {
    await this.#orders.write(
      new TextEncoder().encode(`${JSON.stringify(order)}\n`),
    );
    return JSON.parse(await this.#answer());
  }

  async #answer(): Promise<string> {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error("Cannot go on: the fake API server has ended");
    return value;
  }
}

const { host, port } = places.apiServer;

const kubeconfig = JSON.stringify({
  apiVersion: "v1",
  kind: "Config",
  "current-context": "big",
  clusters: [{
    name: "big",
    cluster: {
      server: `https://${host}:${port}`,
      "tls-server-name": "localhost",
      "certificate-authority-data": btoa(pem("ca.pem")),
    },
  }],
  users: [{ name: "big", user: { token } }],
  contexts: [{
    name: "big",
    context: { cluster: "big", user: "big", namespace: "ambassador" },
  }],
});

function printed(stdout: string): CommandResult {
  return { code: 0, stdout, stderr: "", durationMs: 0, timedOut: false };
}
