import { clusterFlags } from "./_cluster_flags.ts";
import { listFlag } from "./_list_flag.ts";

/** What is asked of a connection, whoever makes it. */
export interface ConnectFlags {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly managerNamespace?: string;
  readonly image?: string;
  readonly mappedNamespaces?: readonly string[];
  readonly alsoProxy?: readonly string[];
  readonly neverProxy?: readonly string[];
}

/** Of who may make one of several connections. */
export interface NameFlag {
  readonly name?: string;
}

export const nameFlag = {
  name: {
    kind: "parsed",
    parse: async (text: string) => {
      const { parseConnectionName } = await import("../connector/api.ts");
      try {
        return parseConnectionName(text);
      } catch (error) {
        throw new SyntaxError((error as Error).message);
      }
    },
    optional: true,
    placeholder: "name",
    brief:
      "Name of the connection, which names of its cluster may end in; another one adds a connection",
  },
} as const;

/** The flags of `tp connect`, and of every command that has a connection of its own. */
export const connectFlags = {
  ...clusterFlags,
  namespace: {
    kind: "parsed",
    parse: String,
    optional: true,
    placeholder: "name",
    brief: "Where single-label names resolve (default: the context's)",
  },
  image: {
    kind: "parsed",
    parse: String,
    optional: true,
    placeholder: "ref",
    brief:
      "Image to install as manager (default: $TP_IMAGE, else as configured, else this release's)",
  },
  mappedNamespaces: {
    ...listFlag(
      "--mapped-namespaces",
      ({ parseMappedNamespaces }, text) =>
        parseMappedNamespaces({ mappedNamespaces: [text] }),
    ),
    placeholder: "names",
    brief: "The only namespaces to reach, beside that of --namespace",
  },
  alsoProxy: {
    ...listFlag(
      "--also-proxy",
      ({ parseProxyWishes }, text) => parseProxyWishes({ alsoProxy: [text] }),
    ),
    placeholder: "subnets",
    brief:
      "What is reached through the cluster, too: subnets, addresses, names",
  },
  neverProxy: {
    ...listFlag(
      "--never-proxy",
      ({ parseProxyWishes }, text) => parseProxyWishes({ neverProxy: [text] }),
    ),
    placeholder: "subnets",
    brief:
      "What is not, though the cluster has it; of both flags the narrower counts",
  },
} as const;
