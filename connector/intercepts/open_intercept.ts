/** The part of an intercept that the cluster knows of, and what comes with it. */
import type { ApiClient } from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import {
  type ContainerEnvironment,
  type InterceptSpec,
  WithheldNames,
} from "../../manager/api.ts";
import { type Ip, systemClock } from "../../net/mod.ts";
import { ConnectError } from "../failure.ts";
import type { ManagerLink } from "../session/link.ts";
import { openVolumes, volumesDirectory } from "../volumes/volumes.ts";
import type { InterceptRequest, MountInfo } from "./api.ts";
import { valuesForApp } from "./app_values.ts";
import { laptopEnvironment, readEnvironment } from "./environment.ts";
import { readImageEnvironment } from "./image_environment.ts";
import type { HeldParts } from "./held_intercept.ts";
import { interceptInfo } from "./intercept_info.ts";
import { InterceptObject } from "./intercept_object.ts";
import type { InterceptTable, LaptopPort } from "./intercept_table.ts";
import type { LaptopAddress } from "./laptop_address.ts";
import type { OwnObjects } from "./own_objects.ts";
import { openPodForward } from "./pod_forward.ts";
import { ServerStart } from "./server_start.ts";

const log = logger("connector");

export interface OpenOptions {
  api: ApiClient;
  link: Pick<ManagerLink, "use">;
  table: InterceptTable;
  objects: OwnObjects;
  /** By which address processes on the laptop reach one of the cluster. */
  toApp: (ip: Ip) => Ip;
  request: InterceptRequest;
  namespace: string;
  spec: InterceptSpec;
  /** By which what this laptop left behind is found. */
  label: string;
  address: LaptopAddress;
  ports: readonly LaptopPort[];
  /** UIDs of the workload's Services, by their names. */
  serviceUids: ReadonlyMap<string, string>;
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
  const { api, link, table, objects, request, namespace, spec } = options;
  const { label, address, ports, serviceUids } = options;
  await objects.deleteLeftovers({ namespace, label }, { signal });
  const made = await objects.create({ namespace, spec, label }, { signal });
  const object = new InterceptObject(made, { api, objects });
  // The table is the last to forget it: until the object is gone the traffic may come.
  building.defer(() => table.delete(object.uid));
  building.use(object);
  const isServedLater = request.isHeld || request.isServedLater;
  const start = isServedLater ? new ServerStart(systemClock) : undefined;
  const isCopy = spec.mode === "wiretap";
  table.set(object.uid, { name: spec.name, address, ports, start, isCopy });
  await object.untilActive({ signal, tell });
  const { ended, failed } = object;
  const onTurn: HeldParts["onTurn"] = (tell) => object.onTurn(tell);
  if (spec.mode === "proxy-via") {
    const own = { address: address.text, laptopPorts: new Map() };
    const info = () => interceptInfo(object.current, { serviceUids, own });
    return { info, ended, failed, onTurn };
  }
  const { container } = spec;
  const intercept = object.uid;
  const question = { intercept, container, signal };
  const [told, ofImage] = await Promise.all([
    readEnvironment(link, question).catch((error) => {
      signal.throwIfAborted();
      log.warn("no environment", { name: spec.name, error });
      tell(
        `Warning: the environment of container "${container}" cannot be had: ${error.message}`,
      );
      return undefined;
    }),
    // A replaced container's processes are not the app's.
    spec.mode === "replace" ? {} : readImageEnvironment(api, {
      ...{ namespace, workload: spec.workload, container, signal },
    }),
  ]);
  const mount = await openMount(options, { intercept, told, building, signal });
  for (const port of request.toPod) {
    building.use(await openPodForward({ link, intercept, port }));
  }
  const withheld = new WithheldNames(told?.withheld ?? []);
  const environment = laptopEnvironment(
    valuesForApp({
      // Without the agent's word nothing is known of what is withheld.
      ...told === undefined ? {} : withheld.without(ofImage),
      ...told?.environment,
    }, options.toApp),
    { id: intercept, container, mount: mount?.() },
  );
  const laptopPorts = new Map(
    ports.map(({ pod, laptop }) => [`${pod.port}/${pod.protocol}`, laptop]),
  );
  const own = {
    ...{ address: address.text, laptopPorts, environment },
    podIp: told?.podIp,
  };
  start?.begin();
  return {
    info: () =>
      interceptInfo(object.current, {
        serviceUids,
        own: { ...own, mount: mount?.() },
      }),
    ...{ ended, failed, onTurn },
  };
}

/**
 * The container's volumes on the laptop, if they are wanted and there are any.
 *
 * @returns what is told of them at present.
 * @throws {ConnectError} `mount-failed` when they cannot be where the user wants them.
 */
async function openMount(
  { link, request: { mount, name }, spec: { container } }: OpenOptions,
  { intercept, told, building, signal: off }: {
    intercept: string;
    told: ContainerEnvironment | undefined;
    building: AsyncDisposableStack;
    /** Calls it off: no stream is waited for any more. */
    signal: AbortSignal;
  },
): Promise<(() => MountInfo) | undefined> {
  const { podIp } = told ?? {};
  const mounts = told?.mounts.map(({ path }) => path) ?? [];
  if (mount === undefined || mounts.length === 0) return undefined;
  const { mountPoint, readOnly: isReadOnly } = mount;
  try {
    const volumes = building.use(
      await openVolumes({
        open: ({ signal: closed }) => {
          const signal = AbortSignal.any([closed, off]);
          return link.use((manager) =>
            manager.pod(intercept, { kind: "files", container }, { signal })
          );
        },
        volumes: mounts,
        ...mountPoint === undefined ? {} : { mountPoint },
        ...{ isReadOnly, name },
      }),
    );
    return () => ({
      ...{ local_dir: volumes.root, remote_dir: volumesDirectory, mounts },
      ...podIp === undefined ? {} : { pod_ip: podIp },
      ...volumes.error === undefined ? {} : { error: volumes.error },
    });
  } catch (cause) {
    const { message } = cause as Error;
    if (mountPoint === undefined) return () => ({ mounts, error: message });
    const failure = { kind: "mount-failed", cause: message } as const;
    throw new ConnectError(failure, { cause });
  }
}
