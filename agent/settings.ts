import type { AgentConfig, AgentContainer, AgentPort } from "../manager/api.ts";
import { Ip } from "../net/mod.ts";

/** What the pod tells its agent. */
export interface Settings extends AgentConfig {
  /** Name of the pod. */
  readonly pod: string;
  /** Addresses of the pod. */
  readonly ownAddresses: readonly Ip[];
}

/**
 * Reads the environment that the webhook sets: `TP_AGENT`, `POD_NAME`, `POD_IPS`.
 *
 * @throws {TypeError} when something is missing or of another kind than it must be.
 * @throws {SyntaxError} when something can not be read.
 */
export function readSettings(env: Record<string, string>): Settings {
  const pod = mustBeSet(env, "POD_NAME");
  const ownAddresses = mustBeSet(env, "POD_IPS").split(",")
    .map((text) => Ip.parse(text.trim()));
  return { ...readConfig(env), pod, ownAddresses };
}

/**
 * Reads `TP_AGENT`, which is all that an init container has.
 *
 * @throws as {@link readSettings}.
 */
export function readConfig(env: Record<string, string>): AgentConfig {
  const value = JSON.parse(mustBeSet(env, "TP_AGENT"));
  const root = new Place(value, "TP_AGENT");
  const workload = root.at("workload");
  return {
    namespace: root.at("namespace").text(),
    workload: {
      apiVersion: workload.at("apiVersion").text(),
      kind: workload.at("kind").text(),
      name: workload.at("name").text(),
    },
    manager: root.at("manager").text(),
    anyManager: root.at("anyManager").text(),
    ports: root.at("ports").list().map(portAt),
    containers: root.at("containers").list().map(containerAt),
  };
}

function portAt(place: Place): AgentPort {
  const protocol = place.at("protocol").text();
  if (protocol !== "TCP" && protocol !== "UDP") {
    throw place.at("protocol").wrong("neither TCP nor UDP");
  }
  const probe = place.at("probePort");
  return {
    port: place.at("port").port(),
    protocol,
    agentPort: place.at("agentPort").port(),
    redirect: place.at("redirect").truth(),
    ...probe.value === undefined ? {} : { probePort: probe.port() },
  };
}

function containerAt(place: Place): AgentContainer {
  const name = place.at("name").text();
  // It becomes part of a path.
  if (!/^[a-z0-9][-a-z0-9]*$/.test(name)) {
    throw place.at("name").wrong("not the name of a container");
  }
  return {
    name,
    mounts: place.at("mounts").list().map((mount) => ({
      path: mount.at("path").text(),
      readOnly: mount.at("readOnly").truth(),
    })),
  };
}

/** A value inside the configuration, and where it is. */
class Place {
  constructor(readonly value: unknown, readonly path: string) {}

  at(key: string): Place {
    const isObject = typeof this.value === "object" && this.value !== null;
    if (!isObject) throw this.wrong("not an object");
    const value = (this.value as Record<string, unknown>)[key];
    return new Place(value, `${this.path}.${key}`);
  }

  text(): string {
    if (typeof this.value === "string" && this.value !== "") return this.value;
    throw this.wrong("not a text");
  }

  truth(): boolean {
    if (typeof this.value === "boolean") return this.value;
    throw this.wrong("neither true nor false");
  }

  port(): number {
    const value = this.value as number;
    if (Number.isInteger(value) && value > 0 && value < 65_536) return value;
    throw this.wrong("not a port");
  }

  list(): Place[] {
    if (!Array.isArray(this.value)) throw this.wrong("not a list");
    return this.value.map((one, i) => new Place(one, `${this.path}[${i}]`));
  }

  wrong(state: string): TypeError {
    return new TypeError(`Cannot read "${this.path}": it is ${state}`);
  }
}

function mustBeSet(env: Record<string, string>, name: string): string {
  const value = env[name];
  if (value) return value;
  throw new TypeError(`Cannot start the agent: ${name} is not set`);
}
