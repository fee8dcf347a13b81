/** The sample application in a namespace of its own, for a test that changes it. */
import { join } from "node:path";
import type { Cluster } from "../cluster/mod.ts";

const services = [
  ...["verylargejavaservice", "dataprocessingservice", "verylargedatastore"],
];

/** Resolves when all of it is ready. */
export async function deploySampleApplication(
  cluster: Cluster,
  namespace: string,
): Promise<void> {
  await applyInto(cluster, namespace, "edgycorp");
  await Promise.all(
    services.map((name) =>
      cluster.rolledOut(`deployment/${name}`, { namespace })
    ),
  );
}

/** A PostgreSQL of its own in a namespace. Resolves when it is ready. */
export async function deployDatabase(
  cluster: Cluster,
  namespace: string,
): Promise<void> {
  await applyInto(cluster, namespace, "postgres");
  await cluster.rolledOut("deployment/postgres", { namespace });
}

async function applyInto(
  cluster: Cluster,
  namespace: string,
  name: string,
): Promise<void> {
  const registry = Deno.env.get("TP_TEST_IMAGES") ?? "docker.io/local";
  const manifest = new URL(`../app/${name}.yaml`, import.meta.url);
  const text = await Deno.readTextFile(manifest);
  await cluster.apply(
    text.replaceAll("docker.io/local/", `${registry}/`)
      .replaceAll("namespace: default", `namespace: ${namespace}`),
  );
}

/** The command that runs one of its services, whose binary is in `directory`. */
export function sampleService(directory: string, name: string): string[] {
  return [join(directory, "app"), name];
}
