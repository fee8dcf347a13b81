import { basename, join } from "node:path";
import { appBinary } from "./binaries.ts";
import type { Cluster } from "./cluster.ts";
import { must } from "./command.ts";
import { type ImageContent, withLibraries, writeImage } from "./image.ts";
import { installPackages } from "./packages.ts";
import { repositoryDir } from "./paths.ts";
import { postgresFiles } from "./postgres.ts";
import { step } from "./step.ts";

/** What a cluster's nodes pull where the bed imports: set TP_TEST_IMAGES to a registry that holds the four images. */
const bedRegistry = "docker.io/local";

const manifests = {
  edgycorp: [
    "verylargejavaservice",
    "dataprocessingservice",
    "verylargedatastore",
  ],
  bench: ["bench"],
  redis: ["redis"],
  postgres: ["postgres"],
} as const;

/** Brings the sample application, the servers of the benchmarks and the databases, and waits until all are ready. */
export async function deployApp(cluster: Cluster): Promise<void> {
  const registry = Deno.env.get("TP_TEST_IMAGES");
  if (registry === undefined) {
    await installPackages();
    for (const image of await appImages()) {
      await step(`image ${image.name}`, async () => {
        await cluster.importImage(await writeImage(image));
      });
    }
  }
  await step("sample application", async () => {
    for (const name of Object.keys(manifests)) {
      const path = join(repositoryDir, "tests", "app", `${name}.yaml`);
      const text = await Deno.readTextFile(path);
      await cluster.apply(
        text.replaceAll(`${bedRegistry}/`, `${registry ?? bedRegistry}/`),
      );
    }
    for (const name of Object.values(manifests).flat()) {
      await cluster.rolledOut(`deployment/${name}`);
    }
  });
}

/** Brings the servers of the benchmarks to a namespace, as this checkout has them, and waits until they are ready. */
export async function deployBench(
  cluster: Cluster,
  namespace: string,
): Promise<void> {
  await deployInto(cluster, namespace, ["bench"]);
  await cluster.rolledOut("deployment/bench", { namespace });
}

/** Brings the pods `server` and `client` of tests/app/edges.yaml to a namespace, and waits until they are ready. */
export async function deployEdges(
  cluster: Cluster,
  namespace: string,
): Promise<void> {
  await deployInto(cluster, namespace, ["edges"]);
  const ready = ["--for=condition=Ready", "pod", "--all", "--timeout=60s"];
  const { code, stderr } = await cluster.kubectl(
    ["wait", "--namespace", namespace, ...ready],
  );
  if (code !== 0) throw new Error(`Cannot bring the pods: ${stderr}`);
}

/**
 * Brings the workloads that tests intercept to a namespace (tests/app/intercepts.yaml, tests/app/volumes.yaml), as this
 * checkout has them, and waits until they are ready.
 */
export async function deployIntercepts(
  cluster: Cluster,
  namespace: string,
): Promise<void> {
  await deployInto(cluster, namespace, ["intercepts", "volumes"]);
  const deployments = ["echo", "echo-number", "client", "files"];
  const workloads = deployments.map((name) => `deployment/${name}`);
  await Promise.all(
    [...workloads, "statefulset/echo-headless"].map((workload) =>
      cluster.rolledOut(workload, { namespace })
    ),
  );
}

/** Applies manifests of tests/app, whose images are the app's and the tools. */
async function deployInto(
  cluster: Cluster,
  namespace: string,
  names: readonly string[],
): Promise<void> {
  const registry = Deno.env.get("TP_TEST_IMAGES");
  let image = `${registry}/app:1`;
  if (registry === undefined) {
    await installPackages();
    // Named by its content, so that pods of another checkout keep theirs.
    image = `${bedRegistry}/app:${basename(await appBinary())}`;
    for (const content of await benchImages()) {
      const name = content.name === `${bedRegistry}/app:1`
        ? image
        : content.name;
      await cluster.importImage(await writeImage({ ...content, name }));
    }
  }
  for (const name of names) {
    const path = join(repositoryDir, "tests", "app", `${name}.yaml`);
    const text = await Deno.readTextFile(path);
    await cluster.apply(
      text.replaceAll(`${bedRegistry}/app:1`, image)
        .replaceAll(`${bedRegistry}/`, `${registry ?? bedRegistry}/`)
        .replaceAll("namespace: default", `namespace: ${namespace}`),
    );
  }
}

/** The images of the application: its own programs, tools for a shell in a pod, and two databases. */
export async function appImages(): Promise<ImageContent[]> {
  return [
    ...await benchImages(),
    {
      name: `${bedRegistry}/redis:1`,
      entrypoint: ["/usr/bin/redis-server"],
      // Debian's redis-tools holds the server's program under another name; it runs what it is called.
      files: renamed(
        await withLibraries("/usr/bin/redis-check-rdb"),
        "/usr/bin/redis-check-rdb",
        "/usr/bin/redis-server",
      ),
    },
    {
      name: `${bedRegistry}/postgres:1`,
      entrypoint: ["/bin/sh"],
      ...await postgresFiles(),
    },
  ];
}

async function benchImages(): Promise<ImageContent[]> {
  const app = join(await appBinary(), "app");
  return [
    {
      name: `${bedRegistry}/app:1`,
      entrypoint: ["/app"],
      files: { "/app": app },
    },
    {
      name: `${bedRegistry}/tools:1`,
      entrypoint: ["/bin/sh"],
      env: { TOOLS_IMAGE: "of the image" },
      ...await tools(),
    },
  ];
}

/** busybox under the names of its applets, curl and iperf3 with their libraries. */
async function tools(): Promise<
  Pick<ImageContent, "files" | "texts" | "links">
> {
  const applets = (await must(["busybox", "--list"])).trim().split("\n");
  return {
    files: {
      "/bin/busybox": "/bin/busybox",
      ...await withLibraries("/usr/bin/curl"),
      ...await withLibraries("/usr/bin/iperf3"),
    },
    texts: {
      "/etc/passwd":
        "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
      "/etc/group": "root:x:0:\nnogroup:x:65534:\n",
      "/etc/nsswitch.conf": "hosts: files dns\n",
    },
    links: Object.fromEntries(
      applets.filter((name) => name !== "busybox").map((name) => [
        `/bin/${name}`,
        "busybox",
      ]),
    ),
  };
}

function renamed(
  files: Record<string, string>,
  from: string,
  to: string,
): Record<string, string> {
  const { [from]: source = from, ...others } = files;
  return { ...others, [to]: source };
}
