/** The sample application in a namespace of its own, for a test that changes it. */
import { join } from "node:path";
import type { Cluster } from "../cluster/mod.ts";

const manifest = new URL("../app/edgycorp.yaml", import.meta.url);
const services = [
  ...["verylargejavaservice", "dataprocessingservice", "verylargedatastore"],
];

/** Resolves when all of it is ready. */
export async function deploySampleApplication(
  cluster: Cluster,
  namespace: string,
): Promise<void> {
  const registry = Deno.env.get("TP_TEST_IMAGES") ?? "docker.io/local";
  const text = await Deno.readTextFile(manifest);
  await cluster.apply(
    text.replaceAll("docker.io/local/", `${registry}/`)
      .replaceAll("namespace: default", `namespace: ${namespace}`),
  );
  await Promise.all(
    services.map((name) =>
      cluster.rolledOut(`deployment/${name}`, { namespace })
    ),
  );
}

/** The command that runs one of its services, whose binary is in `directory`. */
export function sampleService(directory: string, name: string): string[] {
  return [join(directory, "app"), name];
}
