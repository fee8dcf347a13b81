/** Proxies on the laptop's loopback that lead into the cluster, for programs that cannot have a network of their own. */
export { openProxy, Proxy } from "./proxy.ts";
