/** The host's routes on macOS, by sysctl(3). Every user may ask. */
import { interfaceName } from "./_interface_name.ts";
import { DeviceLibc } from "./_device_libc_darwin.ts";
import { decodeRoutes, type KernelRoute } from "./_route_message.ts";
import { type HostRoute, withLinks } from "./host_route.ts";

/** CTL_NET, PF_ROUTE, 0, every family, NET_RT_DUMP, 0 */
const routeTable = [4, 17, 0, 0, 1, 0];

export function kernelRoutes(libc: DeviceLibc): KernelRoute[] {
  return decodeRoutes(libc.sysctl(routeTable) ?? new Uint8Array());
}

export function readDarwinRoutes(): Promise<HostRoute[]> {
  using libc = new DeviceLibc();
  const routes = kernelRoutes(libc).flatMap((route) => {
    const { subnet, index, gateway, isReject } = route;
    const device = interfaceName(index, libc.call);
    if (device === undefined || isReject) return [];
    const reached = gateway ? { gateway } : {};
    return [{ subnet, device, onLink: false, metric: 0, ...reached }];
  });
  return Promise.resolve(withLinks(routes));
}
