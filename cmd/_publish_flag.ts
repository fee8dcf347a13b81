import type { PublishedPort } from "../connector/api.ts";

/** The flag of commands that run in a network of their own. */
export interface PublishFlag {
  readonly publish?: readonly PublishedPort[];
}

export const publishFlag = {
  publish: {
    kind: "parsed",
    // Loaded for who uses it: every command starts with this file.
    parse: async (text: string) =>
      (await import("../connector/api.ts")).parsePublishedPort(text),
    optional: true,
    variadic: ",",
    placeholder: "[laptop:]port",
    brief: "Port that the command listens on to have on this laptop's loopback",
  },
} as const;
