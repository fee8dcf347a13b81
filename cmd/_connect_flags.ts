import { clusterFlags } from "./_cluster_flags.ts";

/** What is asked of a connection, whoever makes it. */
export interface ConnectFlags {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly managerNamespace?: string;
  readonly image?: string;
}

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
} as const;
