export { pipeDatagrams } from "../net/mod.ts";
