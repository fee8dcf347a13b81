export { dialTcp } from "../tcp/mod.ts";
