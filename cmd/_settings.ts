/**
 * The settings of a command.
 *
 * 1. Flags, environment, the kubeconfig's cluster and the configuration file are read.
 * 2. What counts of them is put together (`config/`).
 * 3. What has the right shape must make sense to the connector, too: it is told here, where its place is known.
 */
import {
  ConfigError,
  defaultLayer,
  eachSetting,
  environmentLayer,
  extensionLayers,
  flagLayer,
  type Layer,
  mergeSettings,
  parseDurationMs,
  readConfigFile,
  type SettingKey,
  type Settings,
} from "../config/mod.ts";
import type { ConnectRequest } from "../connector/api.ts";
import { CommandError } from "./_error.ts";

/** The flags of a command, as far as they are settings or say which cluster is meant. */
export interface SettingFlags {
  readonly context?: string;
  readonly kubeconfig?: string;
}

/** Settings, and what of the places that were looked at is not in them. */
export interface SettingsFound {
  readonly settings: Settings;
  /** Why no kubeconfig was looked at. */
  readonly noKubeconfig?: string;
  /** What is for another program, each with its place. */
  readonly unused: readonly string[];
}

/** @throws {CommandError} */
export async function readSettings(
  flags: SettingFlags,
  env?: Record<string, string>,
): Promise<Settings> {
  return (await findSettings(flags, env)).settings;
}

/** @throws {CommandError} */
export async function findSettings(
  flags: SettingFlags,
  env = Deno.env.toObject(),
): Promise<SettingsFound> {
  try {
    const file = await readConfigFile(env);
    const { layers, problem } = await clusterLayers(flags, env);
    const settings = mergeSettings([
      ...[flagLayer({ ...flags }), environmentLayer(env)],
      ...[...layers, ...file ? [file] : [], defaultLayer],
    ]);
    await mustMakeSense(settings);
    return {
      settings,
      ...problem === undefined ? {} : { noKubeconfig: problem },
      unused: layers.flatMap(({ unused = [] }) => unused),
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const faults = error.faults.map(({ place, text }) => `${place}: ${text}`);
    throw new CommandError(error.message, faults.join("\n    "), {
      cause: error,
    });
  }
}

/** What is wrong with the kubeconfig itself is told by who needs the cluster. */
async function clusterLayers(
  { context, kubeconfig }: SettingFlags,
  env: Record<string, string>,
): Promise<{ layers: Layer[]; problem?: string }> {
  const { KubeconfigError, readClusterExtensions } = await import(
    "../k8s/mod.ts"
  );
  try {
    const found = await readClusterExtensions({
      env,
      ...context === undefined ? {} : { context },
      ...kubeconfig === undefined ? {} : { kubeconfig },
    });
    return { layers: found ? await extensionLayers(found) : [] };
  } catch (error) {
    if (!(error instanceof KubeconfigError)) throw error;
    return { layers: [], problem: error.message };
  }
}

/** What of a request is settings. */
type SettingsRequest = Pick<
  ConnectRequest,
  | "name"
  | "managerNamespace"
  | "image"
  | "dns"
  | "allowConflictingSubnets"
  | "vnat"
  | "proxyVia"
  | "mappedNamespaces"
  | "alsoProxy"
  | "neverProxy"
>;

/** What the connector is asked with. What nobody has set is left to it. */
export function settingsRequest(settings: Settings): SettingsRequest {
  const set = <K extends SettingKey>(key: K) =>
    settings[key]?.kind === "default" ? undefined : settings[key]?.value;
  const timeout = set("dns.lookupTimeout");
  const dns = present({
    includeSuffixes: set("dns.includeSuffixes"),
    excludeSuffixes: set("dns.excludeSuffixes"),
    excludes: set("dns.excludes"),
    mappings: set("dns.mappings"),
    servedTopLevelNamespaces: set("dns.servedTopLevelNamespaces"),
    lookupTimeoutMs: timeout === undefined
      ? undefined
      : parseDurationMs(timeout),
  });
  return {
    managerNamespace: settings["cluster.defaultManagerNamespace"].value,
    image: settings["images.managerImage"].value,
    ...present({
      name: set("connection.name"),
      dns: Object.keys(dns).length === 0 ? undefined : dns,
      allowConflictingSubnets: set("routing.allowConflictingSubnets")?.slice(),
      vnat: set("routing.vnat")?.slice(),
      proxyVia: set("routing.proxyVia")?.slice(),
      mappedNamespaces: set("cluster.mappedNamespaces")?.slice(),
      alsoProxy: set("routing.alsoProxySubnets")?.slice(),
      neverProxy: set("routing.neverProxySubnets")?.slice(),
    }),
  };
}

type Present<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** Without what is `undefined`. */
function present<T extends object>(value: T): Present<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, one]) => one !== undefined),
  ) as Present<T>;
}

/** @throws {CommandError} for a value that has the right shape, and no sense. */
async function mustMakeSense(settings: Settings): Promise<void> {
  const read = eachSetting(settings).filter(([, { kind }]) =>
    kind === "kubeconfig" || kind === "file"
  );
  if (read.length === 0) return;
  const { ConnectError, parseDnsSettings } = await import(
    "../connector/mod.ts"
  );
  const {
    parseConnectionName,
    parseMappedNamespaces,
    parseProxyWishes,
    parseSubnetWishes,
  } = await import("../connector/api.ts");
  const defaults = mergeSettings([defaultLayer]);
  for (const [key, setting] of read) {
    const request = settingsRequest({ ...defaults, [key]: setting });
    try {
      parseDnsSettings(request.dns);
      parseSubnetWishes(request);
      parseMappedNamespaces(request);
      parseProxyWishes(request);
      if (request.name !== undefined) parseConnectionName(request.name);
    } catch (cause) {
      if (!(cause instanceof ConnectError)) throw cause;
      throw new CommandError(
        cause.message,
        `Correct ${key}: ${setting.place}`,
        { cause },
      );
    }
  }
}
