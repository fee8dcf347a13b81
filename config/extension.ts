/**
 * What a kubeconfig says of its cluster: `clusters[].cluster.extensions[]`.
 *
 * `tp.dev` has the shape of the configuration file. `telepresence.io` is another program's: what it has in common with
 * `tp` counts, by the names of either of its two forms, and the rest is not ours to judge.
 */
import { ConfigError } from "./error.ts";
import { settingEntries } from "./keys.ts";
import type { Layer } from "./layer.ts";
import { valueAt, valuesOf } from "./values.ts";

/** The extensions of one cluster as they stand in a kubeconfig. */
export interface ClusterExtensions {
  /** The kubeconfig. */
  readonly path: string;
  /** Name of the cluster. */
  readonly cluster: string;
  readonly extensions: readonly {
    readonly name: string;
    readonly extension: unknown;
  }[];
}

const ownName = "tp.dev";
const peerName = "telepresence.io";

/**
 * What they say; who goes before the other is the first.
 *
 * @throws {ConfigError}
 */
export async function extensionLayers(
  { path, cluster, extensions }: ClusterExtensions,
): Promise<Layer[]> {
  const layers: Layer[] = [];
  for (const wanted of [ownName, peerName]) {
    const found = extensions.find(({ name }) => name === wanted);
    if (found === undefined) continue;
    const place = `${path} (cluster "${cluster}", extension "${wanted}")`;
    const value = found.extension ?? {};
    const { config, unused } = wanted === ownName
      ? { config: value, unused: [] }
      : commonPart(value);
    layers.push({
      ...await layerOf(config, place),
      unused: unused.map((path) => `${path} of ${place}`),
    });
  }
  return layers;
}

async function layerOf(config: unknown, place: string): Promise<Layer> {
  const { configFaults } = await import("./shape.ts");
  const faults = configFaults(config);
  if (faults.length > 0) {
    throw new ConfigError(
      `Cannot use ${place}: it must be put right`,
      faults.map(({ place: at, text }) => ({
        ...{ place, text: `${at || "it"} ${text}` },
      })),
    );
  }
  return {
    ...{ kind: "kubeconfig", values: valuesOf(config as object) },
    placeOf: () => place,
  };
}

/** What the schema knows of the peer's settings, in its form. */
function commonPart(
  value: unknown,
): { config: unknown; unused: readonly string[] } {
  const config: Record<string, Record<string, unknown>> = {};
  const used = new Set<string>();
  for (const [key, { peer }] of settingEntries()) {
    const at = [key, peer].find((name) =>
      name !== undefined && valueAt(value, name.split(".")) !== undefined
    );
    if (at === undefined) continue;
    const [group, name] = key.split(".") as [string, string];
    (config[group] ??= {})[name] = valueAt(value, at.split("."));
    used.add(at);
  }
  return { config, unused: leaves(value).filter((path) => !used.has(path)) };
}

/** Everything in it that is no mapping, as `dns.local-ip`. */
function leaves(value: unknown, path: readonly string[] = []): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return path.length === 0 ? [] : [path.join(".")];
  }
  return Object.entries(value).flatMap(([key, below]) =>
    leaves(below, [...path, key])
  );
}
