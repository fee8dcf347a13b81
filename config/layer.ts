import { settingEntries, type SettingKey, type SettingValues } from "./keys.ts";

/** Who may say what a setting is; who stands earlier goes before the others. */
export const originKinds = [
  ...["flag", "environment", "kubeconfig", "file", "default"] as const,
] as const;
export type OriginKind = typeof originKinds[number];

/** What one of them says. */
export interface Layer {
  readonly kind: OriginKind;
  readonly values: Partial<SettingValues>;
  /** Where it says so, for people; asked only for what it says. */
  readonly placeOf: (key: SettingKey) => string;
  /** What stands there for another program only, each with its place, for people. */
  readonly unused?: readonly string[];
}

/** The flags of any command; those that are no settings are not looked at. */
export type Flags = Readonly<Record<string, unknown>>;

export function flagLayer(flags: Flags): Layer {
  return layerOf("flag", {
    valueOf: ({ flag }) => flag === undefined ? undefined : flags[flag],
    placeOf: ({ flag }) =>
      `--${flag!.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  });
}

/** A variable that is empty says nothing. */
export function environmentLayer(env: Record<string, string>): Layer {
  return layerOf("environment", {
    valueOf: ({ variable }) =>
      variable === undefined ? undefined : env[variable] || undefined,
    placeOf: ({ variable }) => `$${variable}`,
  });
}

export const defaultLayer: Layer = layerOf("default", {
  valueOf: (facts) => facts.default,
  placeOf: () => "default",
});

type Facts = ReturnType<typeof settingEntries>[number][1];

function layerOf(
  kind: OriginKind,
  { valueOf, placeOf }: {
    valueOf: (facts: Facts) => unknown;
    placeOf: (facts: Facts) => string;
  },
): Layer {
  const entries = settingEntries();
  const said = entries.flatMap(([key, facts]) => {
    const value = valueOf(facts);
    return value === undefined ? [] : [[key, value]];
  });
  const factsOf = new Map(entries);
  return {
    ...{ kind, values: Object.fromEntries(said) },
    placeOf: (key) => placeOf(factsOf.get(key)!),
  };
}
