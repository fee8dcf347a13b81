export { refusalOfError } from "../tcp/mod.ts";
