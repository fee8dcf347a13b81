/** Runs one command with the cluster in its network, and changes nothing of the laptop. */
export { type PublishedPort } from "./published_port.ts";
export { PublishedPorts } from "./published_ports.ts";
export { NoInsideError, runInside, type RunOptions } from "./run.ts";
