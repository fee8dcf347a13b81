/** The same app three times: bare, with an agent that has no rule, and with one whose rule matches nothing that comes. */
import { type Cluster, Laptop, must } from "../../tests/cluster/mod.ts";
import { type BenchManager, executable } from "../measure/manager.ts";
import { findPids } from "../measure/processes.ts";

export const appNames = ["bare", "agent", "match"] as const;
export type AppName = typeof appNames[number];

export interface App {
  readonly name: AppName;
  /** Of its pod. */
  readonly ip: string;
  /** Where its Service leads: the agent's, where there is one. */
  readonly port: string;
  /** The agent's process; none of the bare one. */
  readonly agentPids: readonly number[];
}

const httpPort = 8080;
const connectTimeoutMs = 90_000;

/** Where the app answers. */
export function urlOf({ ip, port }: App, path: string): string {
  return `http://${ip.includes(":") ? `[${ip}]` : ip}:${port}${path}`;
}

/** Deployments and Services, with the image of the servers that are in the namespace. */
export async function deployApps(
  cluster: Cluster,
  namespace: string,
): Promise<void> {
  const image = await ask(cluster, [
    ...["-n", namespace, "get", "deployment", "bench"],
    ...["-o", "jsonpath={.spec.template.spec.containers[0].image}"],
  ]);
  const items = appNames.flatMap((name) => [{
    ...{ apiVersion: "v1", kind: "Service", metadata: { name, namespace } },
    spec: {
      selector: { app: name },
      ports: [{ name: "http", port: 80, targetPort: "http" }],
    },
  }, {
    ...{ apiVersion: "apps/v1", kind: "Deployment" },
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{
            ...{ name: "app", image, args: ["who"] },
            ports: [{ name: "http", containerPort: httpPort }],
            readinessProbe: { httpGet: { path: "/", port: "http" } },
          }],
        },
      },
    },
  }]);
  const list = { apiVersion: "v1", kind: "List", items };
  await cluster.apply(JSON.stringify(list));
  for (const name of appNames) {
    await cluster.rolledOut(`deployment/${name}`, { namespace });
  }
}

/** Intercepts by a laptop that stays connected: one that has ended, and one of requests that do not come. */
export async function interceptApps(
  laptop: Laptop,
  { manager, namespace }: { manager: BenchManager; namespace: string },
): Promise<AsyncDisposable> {
  const tp = (...args: string[]) =>
    must(laptop.command([executable, ...args]), {
      timeoutMs: connectTimeoutMs,
    });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => tp("quit").then(() => {}, () => {}));
  await tp(
    ...["connect", "--namespace", namespace, "--image", manager.image],
    ...["--manager-namespace", manager.namespace],
  );
  await tp("intercept", "agent", "--port", "3000");
  await tp("leave", "agent");
  await tp(
    ...["intercept", "match", "--port", "3001"],
    ...["--http-header", "x-user=nobody"],
  );
  return stack.move();
}

/** As their pods are by now. */
export function findApps(cluster: Cluster, namespace: string): Promise<App[]> {
  return Promise.all(appNames.map(async (name) => {
    const selector = `app=${name}`;
    const port = '.ports[?(@.name=="http")].containerPort';
    const told = await ask(cluster, [
      ...["-n", namespace, "get", "pods", "-l", selector],
      ...["--field-selector=status.phase=Running"],
      "-o",
      `jsonpath={.items[0].status.podIP} {.items[0].spec.initContainers[*]${port}} {.items[0].spec.containers[*]${port}}`,
    ]);
    const [ip = "", named = ""] = told.split(/\s+/);
    const agentPids = await findPids(cluster, {
      ...{ namespace, selector, container: "traffic-agent" },
    });
    if (name !== "bare" && agentPids.length === 0) {
      throw new Error(`Cannot measure "${name}": its agent is not found`);
    }
    if ((named === String(httpPort)) !== (name === "bare")) {
      throw new Error(
        `Cannot measure "${name}": its Service leads to ${named}`,
      );
    }
    return { name, ip, port: named, agentPids };
  }));
}

async function ask(cluster: Cluster, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(args);
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}
