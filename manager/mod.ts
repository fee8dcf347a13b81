/** The traffic-manager: dials, looks up and tells about the cluster, for laptops. */
export { readSettings } from "./settings.ts";
export { runManager, type RunManagerOptions } from "./run.ts";
export { type BridgeOptions, runBridge } from "./bridge.ts";
