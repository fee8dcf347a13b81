/** One cluster and the laptop's own network behind one dial, without any change to the laptop. */
export { openOutbound, Outbound } from "./outbound.ts";
