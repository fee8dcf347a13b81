import { type SettingKey, settingKeys, type SettingValues } from "./keys.ts";
import { type Layer, type OriginKind, originKinds } from "./layer.ts";

/** What a setting is, and who says so. */
export interface Setting<T = unknown> {
  readonly value: T;
  readonly kind: OriginKind;
  /** For people: `--vnat`, `/home/anna/.config/tp/config.yml:4`. */
  readonly place: string;
}

/** All settings that are something. */
export type Settings = {
  readonly [K in keyof SettingValues]: Setting<NonNullable<SettingValues[K]>>;
};

/**
 * What counts: for each setting what the first says that says anything. A list is never put together of several.
 *
 * @param layers In any order; of two of a kind the first goes before. One of `default` is among them.
 */
export function mergeSettings(layers: readonly Layer[]): Settings {
  const inOrder = layers.toSorted((a, b) =>
    originKinds.indexOf(a.kind) - originKinds.indexOf(b.kind)
  );
  const found = (Object.keys(settingKeys) as SettingKey[]).flatMap((key) => {
    const layer = inOrder.find(({ values }) => values[key] !== undefined);
    if (layer === undefined) return [];
    const { kind, values, placeOf } = layer;
    return [[key, { value: values[key], kind, place: placeOf(key) }]];
  });
  return Object.fromEntries(found);
}

/** Each setting by its name. */
export function eachSetting(settings: Settings): [SettingKey, Setting][] {
  return Object.entries(settings) as [SettingKey, Setting][];
}
