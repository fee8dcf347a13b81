/** The flags of `tp intercept`, `replace`, `wiretap` and `ingest`; each has some of them. */
import type { PodPort, PortRequest } from "../connector/api.ts";
import { type EnvSyntax, envSyntaxes } from "./_env_syntax.ts";
import { type MatchFlags, parseHeaderMatch } from "./_header_match.ts";
import { type Mount, parseMount } from "./_mount.ts";
import { type UseFlag, useFlag } from "./_use_flag.ts";
import { outputFlag, type OutputFormat } from "./_output.ts";

/** Flags that a command has not are absent. */
export interface InterceptFlags extends MatchFlags, UseFlag {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly managerNamespace?: string;
  readonly image?: string;
  readonly namespace?: string;
  readonly workload?: string;
  readonly service?: string;
  readonly container?: string;
  readonly port?: readonly PortRequest[];
  readonly address?: string;
  readonly toPod?: readonly PodPort[];
  readonly mount: Mount;
  readonly envFile?: string;
  readonly envSyntax: EnvSyntax;
  readonly envJson?: string;
  readonly waitMessage?: string;
  readonly localOnly?: boolean;
  readonly detailedOutput: boolean;
  readonly output: OutputFormat;
}

/** Those of a command that has the flags `Described`. */
export type FlagsOf<Described> = Pick<
  InterceptFlags,
  keyof Described & keyof InterceptFlags
>;

function text(brief: string, placeholder: string) {
  return {
    ...{ kind: "parsed", parse: String, optional: true } as const,
    ...{ brief, placeholder },
  };
}

function optionalFlag(brief: string) {
  return {
    ...{ kind: "boolean", optional: true, withNegated: false } as const,
    brief,
  };
}

function flag(brief: string) {
  return {
    ...{ kind: "boolean", default: false, withNegated: false } as const,
    brief,
  };
}

/** Of every command that makes an intercept. */
export const commonFlags = {
  ...useFlag,
  context: text("Context of the kubeconfig, to connect with", "name"),
  kubeconfig: text("Kubeconfig, to connect with", "file"),
  managerNamespace: text("Where the traffic-manager lives", "name"),
  image: text("Image to install as manager", "ref"),
  namespace: text(
    "Namespace of the workload (default: the connection's)",
    "name",
  ),
  container: text(
    "Whose environment and volumes are wanted (default: the one with the port)",
    "name",
  ),
  mount: {
    kind: "parsed",
    parse: (text: string) => parseMount(text),
    default: "true",
    placeholder: "true|false|directory[:ro]",
    brief: "Where to mount the container's volumes",
  },
  envFile: text("Write the container's environment to a file", "file"),
  envSyntax: {
    kind: "enum",
    values: envSyntaxes,
    default: "docker",
    brief: "Syntax of that file",
  },
  envJson: text("Write the container's environment to a file as JSON", "file"),
  waitMessage: text("What to print when all is ready", "text"),
  detailedOutput: flag("With --output: the environment too"),
  output: outputFlag,
} as const;

async function portRequests() {
  // Loaded for who uses it: every command starts with this file.
  return (await import("../connector/api.ts")).parsePortRequest;
}

async function podPorts() {
  return (await import("../connector/api.ts")).parsePodPort;
}

async function laptopAddresses() {
  return (await import("./_laptop_address.ts")).parseLaptopAddress;
}

/** Of those that bring traffic. */
export const trafficFlags = {
  port: {
    kind: "parsed",
    parse: async (text: string) => (await portRequests())(text),
    optional: true,
    variadic: true,
    placeholder: "laptop[:port]",
    brief: "Port of the laptop, and name or number of the intercepted one",
  },
  address: {
    kind: "parsed",
    parse: async (text: string) => (await laptopAddresses())(text),
    optional: true,
    placeholder: "ip|host",
    brief: "Where the laptop's port is (default: 127.0.0.1)",
  },
} as const;

export const toPodFlag = {
  toPod: {
    kind: "parsed",
    parse: async (text: string) => (await podPorts())(text),
    optional: true,
    variadic: true,
    placeholder: "port[/UDP]",
    brief: "Port of the pod's loopback address to have on the laptop's",
  },
} as const;

export const localOnlyFlag = {
  localOnly: optionalFlag(
    "Nothing but the namespace's single-label names, on this laptop",
  ),
} as const;

export const workloadFlags = {
  workload: text(
    "Workload, or KIND/NAME (default: called like the intercept)",
    "name",
  ),
  service: text("Service whose ports are meant", "name"),
} as const;

export const matchFlags = {
  httpHeader: {
    kind: "parsed",
    parse: parseHeaderMatch,
    optional: true,
    variadic: true,
    placeholder: "name=value",
    brief: "Only HTTP requests with this header; * and /regex/ may stand in it",
  },
  httpPathEqual: text("Only requests of this path", "path"),
  httpPathPrefix: text("Only requests of paths that begin so", "path"),
  httpPathRegex: text("Only requests of paths that match", "regex"),
  httpMethod: {
    kind: "parsed",
    parse: String,
    optional: true,
    variadic: true,
    placeholder: "method",
    brief: "Only requests of this method",
  },
  httpAny: optionalFlag("One of the conditions is enough"),
} as const;

export const aliases = {
  n: "namespace",
  e: "envFile",
  j: "envJson",
} as const;

/** The one argument. */
export function nameParameter(brief: string) {
  return {
    kind: "tuple",
    parameters: [{ parse: String, placeholder: "name", brief }],
  } as const;
}
