/** What a user has set, where, and what counts of it. */
export { ConfigError, type ConfigFault } from "./error.ts";
export { parseDurationMs } from "./duration.ts";
export { type ClusterExtensions, extensionLayers } from "./extension.ts";
export { configPath, readConfigFile } from "./file.ts";
export { type SettingKey, settingKeys, type SettingValues } from "./keys.ts";
export {
  defaultLayer,
  environmentLayer,
  flagLayer,
  type Flags,
  type Layer,
  type OriginKind,
} from "./layer.ts";
export {
  eachSetting,
  mergeSettings,
  type Setting,
  type Settings,
} from "./settings.ts";
export { viewText, viewValue } from "./view.ts";
