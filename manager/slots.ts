export { Slots } from "../net/mod.ts";
