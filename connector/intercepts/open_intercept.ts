/** The part of an intercept that the cluster knows of, and what comes with it. */
import type { ApiClient } from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import type { InterceptSpec } from "../../manager/api.ts";
import type { Ip } from "../../net/mod.ts";
import type { ManagerLink } from "../link.ts";
import type { InterceptRequest } from "./api.ts";
import { laptopEnvironment, readEnvironment } from "./environment.ts";
import type { HeldParts } from "./held_intercept.ts";
import { interceptInfo } from "./intercept_info.ts";
import { deleteLeftovers, InterceptObject } from "./intercept_object.ts";
import type { InterceptTable, LaptopPort } from "./intercept_table.ts";
import { openPodForward } from "./pod_forward.ts";

const log = logger("connector");

export interface OpenOptions {
  api: ApiClient;
  link: Pick<ManagerLink, "use">;
  table: InterceptTable;
  request: InterceptRequest;
  namespace: string;
  spec: InterceptSpec;
  /** By which what this laptop left behind is found. */
  label: string;
  addresses: readonly [Ip, ...Ip[]];
  ports: readonly LaptopPort[];
}

export interface Surroundings {
  /** What is made is undone with it. */
  building: AsyncDisposableStack;
  signal: AbortSignal;
  tell: (text: string) => void;
}

/** @throws {ConnectError} why the traffic does not come, or the signal's reason. */
export async function openIntercept(
  options: OpenOptions,
  { building, signal, tell }: Surroundings,
): Promise<HeldParts> {
  const { api, link, table, request, namespace, spec, label } = options;
  const { addresses, ports } = options;
  await deleteLeftovers(api, { namespace, label, session: spec.session });
  signal.throwIfAborted();
  const object = await InterceptObject.create(api, { namespace, spec, label });
  // The table is the last to forget it: until the object is gone the traffic may come.
  building.defer(() => table.delete(object.uid));
  building.use(object);
  table.set(object.uid, { name: spec.name, addresses, ports });
  await object.untilActive({ signal, tell });
  const { container } = spec;
  const intercept = object.uid;
  const told = await readEnvironment(link, { intercept, container, signal })
    .catch((error) => {
      signal.throwIfAborted();
      log.warn("no environment", { name: spec.name, error });
      tell(
        `Warning: the environment of container "${container}" cannot be had: ${error.message}`,
      );
      return undefined;
    });
  for (const port of request.toPod) {
    building.use(await openPodForward({ link, intercept, port }));
  }
  const environment = laptopEnvironment(told?.environment ?? {}, {
    ...{ id: intercept, container },
  });
  const laptopPorts = new Map(
    ports.map(({ pod, laptop }) => [`${pod.port}/${pod.protocol}`, laptop]),
  );
  const own = { address: String(addresses[0]), laptopPorts, environment };
  return {
    info: () => interceptInfo(object.current, own),
    ended: object.ended,
  };
}
