import { type SettingKey, settingKeys, type SettingValues } from "./keys.ts";

/**
 * Settings by their names.
 *
 * @param config Of the schema's shape.
 */
export function valuesOf(config: object): Partial<SettingValues> {
  const said = (Object.keys(settingKeys) as SettingKey[]).flatMap((key) => {
    const value = valueAt(config, key.split("."));
    return value === undefined ? [] : [[key, value]];
  });
  return Object.fromEntries(said);
}

/** What stands at `path`; `undefined` when there is nothing. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, part) =>
      typeof at === "object" && at !== null
        ? (at as Record<string, unknown>)[part]
        : undefined,
    value,
  );
}
