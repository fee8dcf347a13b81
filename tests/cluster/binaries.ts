import { createHash } from "node:crypto";
import { join } from "node:path";
import { must } from "./command.ts";
import { findGo, type Go } from "./go.ts";
import { cacheDir, repositoryDir, roomDir } from "./paths.ts";
import { kubernetesVersion } from "./settings.ts";
import { step } from "./step.ts";

/** The programs that Kubernetes' one binary holds, each run by its name. */
export const kubernetesCommands = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kube-proxy",
  "kubelet",
  "kubectl",
] as const;

/** @returns the directory of `hyperkube`, `coredns` and `pause`, compiled if they are not in the cache */
export async function clusterBinaries(): Promise<string> {
  return await compiled({
    source: join(roomDir, "hyperkube"),
    packages: [".", "./coredns", "./pause"],
    linkerFlags: `-s -w ${versionFlags().join(" ")}`,
    what:
      "compiling Kubernetes and CoreDNS (once; 5 to 10 minutes on two cores)",
  });
}

/** @returns the directory of `app`, the sample application's program */
export async function appBinary(): Promise<string> {
  return await compiled({
    source: join(repositoryDir, "tests", "app"),
    packages: ["."],
    linkerFlags: "-s -w",
    what: "compiling the sample application",
  });
}

const argoModule = "github.com/argoproj/argo-rollouts";

/** @returns the controller of Argo Rollouts, and the manifests of its kinds, which its module holds */
export async function argoRolloutsBinary(): Promise<
  { program: string; kinds: string[] }
> {
  const source = join(roomDir, "argo-rollouts");
  const directory = await compiled({
    source,
    packages: [`${argoModule}/cmd/rollouts-controller`],
    linkerFlags: "-s -w",
    what:
      "compiling the controller of Argo Rollouts (once; a minute on two cores)",
  });
  const go = await findGo();
  const told = await must([go.path, "mod", "download", "-json", argoModule], {
    ...{ cwd: source, env: goEnv, timeoutMs: 60_000 },
  });
  const manifests = join(JSON.parse(told).Dir, "manifests", "crds");
  const kinds: string[] = [];
  for await (const { name } of Deno.readDir(manifests)) {
    if (name.endsWith("-crd.yaml")) kinds.push(join(manifests, name));
  }
  return { program: join(directory, "rollouts-controller"), kinds };
}

const goEnv = { CGO_ENABLED: "0", GOTOOLCHAIN: "local", GOFLAGS: "" };

interface Compilation {
  readonly source: string;
  readonly packages: readonly string[];
  readonly linkerFlags: string;
  readonly what: string;
}

/** The cache's key is all that the result depends on: sources, go.sum, compiler, flags. */
async function compiled(job: Compilation): Promise<string> {
  const go = await findGo();
  const key = createHash("sha256").update(go.version).update(job.linkerFlags);
  for (const path of await sources(job.source)) {
    key.update(`${path}\0`).update(await Deno.readFile(join(job.source, path)));
  }
  const directory = join(cacheDir, key.digest("hex").slice(0, 16));
  const found = await Deno.stat(directory).catch(() => undefined);
  if (found === undefined) {
    await step(job.what, () => compile(go, job, directory), { long: true });
  }
  return directory;
}

async function compile(
  go: Go,
  job: Compilation,
  directory: string,
): Promise<void> {
  const scratch = `${directory}.${crypto.randomUUID()}`;
  await Deno.mkdir(scratch, { recursive: true });
  try {
    await must(
      [go.path, "build", "-mod=readonly", "-trimpath", "-buildvcs=false"]
        .concat("-ldflags", job.linkerFlags, "-o", `${scratch}/`, job.packages),
      {
        cwd: job.source,
        env: goEnv,
        timeoutMs: 40 * 60_000,
      },
    );
    await Deno.rename(scratch, directory);
  } catch (cause) {
    await Deno.remove(scratch, { recursive: true }).catch(() => {});
    throw cause;
  }
}

async function sources(directory: string, below = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of Deno.readDir(join(directory, below))) {
    const path = join(below, entry.name);
    if (entry.isDirectory) paths.push(...await sources(directory, path));
    else if (/\.go$|^go\.(mod|sum)$/.test(entry.name)) paths.push(path);
  }
  return paths.sort();
}

/** Clients read the server's version, so it is linked in as a release build does. */
function versionFlags(): string[] {
  const { major, minor, patch } = kubernetesVersion;
  return ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"]
    .flatMap((path) => [
      `-X ${path}.gitVersion=v${major}.${minor}.${patch}`,
      `-X ${path}.gitMajor=${major}`,
      `-X ${path}.gitMinor=${minor}`,
      `-X ${path}.gitTreeState=clean`,
    ]);
}
