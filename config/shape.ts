/** What is wrong with settings for the published schema. Loaded for who has something to read. */
import schema from "../docs/config.schema.json" with { type: "json" };
import { type ShapeFault, shapeFaults } from "../schema/mod.ts";

/** Settings of Telepresence that `tp` has nothing for. */
const foreign = new Set([
  ...["connectFromRootDaemon", "agentPortForward", "forceSPDY"],
  ...["virtualIPSubnet", "docker", "grpc", "helm", "nodeAgent", "timeouts"],
  ...["logLevels", "telepresenceAPI", "usage", "cloud", "daemons"],
  ...["localIP", "localAddresses", "recursionCheck", "useComplexLookup"],
  ...["registry", "agentImage", "clientImage", "webhookRegistry"],
  ...["useFtp", "localShortcut", "localShortcutIsGlobal", "mountsRoot"],
  ...["telemount", "appProtocolStrategy", "recursionBlockDuration"],
  ...["virtualSubnet", "autoResolveConflicts"],
]);

export function configFaults(value: unknown): ShapeFault[] {
  return shapeFaults(value, { schema, foreign });
}
