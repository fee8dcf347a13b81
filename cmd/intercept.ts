/** The commands that bring a workload's traffic, environment and volumes to the laptop. */
import { buildCommand } from "@stricli/core";
import type { Context } from "./_context.ts";
import {
  aliases,
  commonFlags,
  type FlagsOf,
  type InterceptFlags,
  localOnlyFlag,
  matchFlags,
  nameParameter,
  toPodFlag,
  trafficFlags,
  workloadFlags,
} from "./_intercept_flags.ts";

const usage = ["NAME [FLAGS]", "NAME [FLAGS] -- COMMAND [ARGUMENTS]"];
const ends =
  "With a command behind `--`, that runs with the container's environment, and the intercept ends with it.";

/** `tp intercept NAME [-- CMD ARGS…]` */
export const intercept = buildCommand<InterceptFlags, [string], Context>({
  loader: async () => (await import("./intercept_run.ts")).runs("intercept"),
  parameters: {
    aliases: { ...aliases, p: "port", w: "workload" },
    flags: {
      ...workloadFlags,
      ...trafficFlags,
      ...matchFlags,
      ...toPodFlag,
      ...localOnlyFlag,
      ...commonFlags,
    },
    positional: nameParameter("Name of the intercept, and of its workload"),
  },
  docs: {
    brief: "Have this laptop serve a workload's traffic",
    customUsage: usage,
    fullDescription:
      "Traffic of a workload's port, or the HTTP requests of it that match, go to a port of this laptop. " +
      ends,
  },
});

const replaceFlags = { ...trafficFlags, ...toPodFlag, ...commonFlags };
const wiretapFlags = {
  ...workloadFlags,
  ...trafficFlags,
  ...matchFlags,
  ...commonFlags,
};
const ingestFlags = { ...toPodFlag, ...commonFlags };

/** `tp replace NAME [-- CMD ARGS…]` */
export const replace = buildCommand<
  FlagsOf<typeof replaceFlags>,
  [string],
  Context
>({
  loader: async () => (await import("./intercept_run.ts")).runs("replace"),
  parameters: {
    aliases: { ...aliases, p: "port" },
    flags: replaceFlags,
    positional: nameParameter("Workload"),
  },
  docs: {
    brief: "Have this laptop take the place of a workload's container",
    customUsage: usage,
    fullDescription:
      "The container does not run while this laptop has its ports (all of them, or those of --port). " +
      ends,
  },
});

/** `tp wiretap NAME [-- CMD ARGS…]` */
export const wiretap = buildCommand<
  FlagsOf<typeof wiretapFlags>,
  [string],
  Context
>({
  loader: async () => (await import("./intercept_run.ts")).runs("wiretap"),
  parameters: {
    aliases: { ...aliases, p: "port", w: "workload" },
    flags: wiretapFlags,
    positional: nameParameter("Name of the wiretap, and of its workload"),
  },
  docs: {
    brief: "Have this laptop get a copy of a workload's traffic",
    customUsage: usage,
    fullDescription: "What this laptop answers is thrown away. " + ends,
  },
});

/** `tp ingest NAME [-- CMD ARGS…]` */
export const ingest = buildCommand<
  FlagsOf<typeof ingestFlags>,
  [string],
  Context
>({
  loader: async () => (await import("./intercept_run.ts")).runs("ingest"),
  parameters: {
    aliases: { ...aliases, c: "container" },
    flags: ingestFlags,
    positional: nameParameter("Workload"),
  },
  docs: {
    brief: "Have a workload's environment and volumes on this laptop",
    customUsage: usage,
    fullDescription: "Traffic stays where it is. " + ends,
  },
});
