export { connPair } from "./conn_pair.ts";
