/**
 * The door of the test bed: a cluster ({@link openCluster}), laptops beside it ({@link Laptop}), and the world that
 * they are in ({@link outside}).
 */
export { type ArgoRollouts, openArgoRollouts } from "./argo_rollouts.ts";
export { atWrongTime, passTime, setLaptopClock } from "./clock.ts";
export { compileC } from "./compile_c.ts";
export { type Cluster, openCluster, type TestNamespace } from "./cluster.ts";
export type { CommandOptions, CommandResult } from "./command.ts";
export { must, run } from "./command.ts";
export { Container } from "./container.ts";
export {
  type ClusterOfLaptop,
  Laptop,
  type LaptopCommandOptions,
  type LaptopOptions,
} from "./laptop.ts";
export {
  accounts,
  defaultResolvConf,
  type LaptopUser,
} from "./laptop_files.ts";
export {
  deployApp,
  deployBench,
  deployEdges,
  deployIntercepts,
} from "./app.ts";
export { appBinary } from "./binaries.ts";
export { buildManagerImage } from "./manager_image.ts";
export { setCongestionControl } from "./laptop_link.ts";
export { randomNodePort } from "./node_port.ts";
export { outside } from "./outside.ts";
export { installPackages } from "./packages.ts";
export { reissueToken } from "./reissued_token.ts";
export { makeUser, type TestUser } from "./user.ts";
export type { SnapshotSection } from "./snapshot.ts";
export { say, step } from "./step.ts";
export { sudoRsBinary } from "./sudo_rs.ts";
export { sleep, waitFor } from "./wait.ts";
