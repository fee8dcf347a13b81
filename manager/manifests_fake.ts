/** The manifests of a usual manager, and how tests find one of them. */
import { managerManifests } from "./manifests.ts";

export const options = {
  namespace: "ambassador",
  image: "example.com/tp:1",
  version: "1.2.3",
};
export const manifests = managerManifests(options);

export const find = (
  kind: string,
  name = "traffic-manager",
  among = manifests,
  // deno-lint-ignore no-explicit-any
): any => among.find((one) => one.kind === kind && one.metadata.name === name);
