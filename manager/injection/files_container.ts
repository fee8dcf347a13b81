/**
 * Beside each of the app's containers, one of the image's own with the same environment, user and volumes, which writes the
 * one and serves the others on Unix sockets that the agent has too. Pure.
 */
import type { AgentContainer } from "../agent_api.ts";
import type { AgentSpec } from "../agent_object.ts";
import { filesName } from "./container_names.ts";
import { restricted, unexpanded } from "./own_containers.ts";
import type {
  EnvVar,
  PodContainer,
  PodSpec,
  PodVolume,
  VolumeMount,
} from "./pod_spec.ts";
import { nothing } from "./volumes.ts";

const socketsPath = "/tp/sockets";
const volumesPath = "/tp/volumes";
/** Laptops that ask at a time; each has its own programs. */
const maxChildren = 8;

const resources = {
  requests: { cpu: "1m", memory: "8Mi" },
  limits: { memory: "64Mi" },
};

/** Kinds of volumes that nobody writes to, whatever a mount says. */
const readOnlyKinds = ["configMap", "secret", "projected", "downwardAPI"];

export function agentContainerOf(
  { name, volumeMounts = [] }: PodContainer,
  { volumes = [] }: PodSpec,
): AgentContainer {
  const readOnly = new Set(volumes.filter(isReadOnly).map(({ name }) => name));
  return {
    name,
    mounts: volumeMounts.map((mount) => ({
      path: mount.mountPath,
      readOnly: (mount.readOnly ?? false) || readOnly.has(mount.name),
    })),
  };
}

function isReadOnly(volume: PodVolume): boolean {
  return readOnlyKinds.some((kind) => volume[kind] !== undefined);
}

export function filesContainer(
  app: PodContainer,
  { spec, users, image }: {
    spec: PodSpec;
    users: AgentSpec["users"];
    image: string;
  },
): PodContainer {
  const { name, env, envFrom, volumeMounts = [] } = app;
  const { mounts } = agentContainerOf(app, spec);
  const script = scriptFor(mounts.every(({ readOnly }) => readOnly));
  return {
    name: filesName(name),
    image,
    imagePullPolicy: "IfNotPresent",
    command: ["/bin/sh", "-c", unexpanded(script)],
    ...env === undefined ? {} : { env: env.map((one) => aboutApp(one, name)) },
    ...envFrom === undefined ? {} : { envFrom },
    volumeMounts: [
      { name: filesName(name), mountPath: socketsPath },
      ...volumeMounts.map(movedMount),
      nothing.mount,
    ],
    securityContext: securityContextOf(app, { spec, users }),
    resources,
  };
}

/**
 * The shell stays, so that its environment is the one that kubelet gave. It is given to no program: in the app's there may be
 * names that a program would follow. When either program ends, so does the container, and kubelet starts it anew.
 */
function scriptFor(readOnly: boolean): string {
  const listen = (name: string) =>
    `UNIX-LISTEN:${name},fork,max-children=${maxChildren},` +
    "mode=0666,unlink-early";
  const sftp = ["/usr/local/bin/tp-sftp-server", "-d", volumesPath]
    .concat(readOnly ? ["-R"] : []).join(" ");
  return `trap 'exit 0' TERM
cd ${socketsPath} || exit 1
serve() {
  /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin /usr/bin/socat "$@"
  kill -TERM $$
}
serve -U ${listen("environment.sock")} OPEN:/proc/$$/environ,rdonly &
serve -b 65536 ${listen("files.sock")} EXEC:"${sftp}" &
wait
`;
}

/** A container may ask for its own resources without naming itself. */
function aboutApp(variable: EnvVar, containerName: string): EnvVar {
  const { valueFrom } = variable;
  const resourceFieldRef = valueFrom?.resourceFieldRef;
  return resourceFieldRef === undefined ? variable : {
    ...variable,
    valueFrom: {
      ...valueFrom,
      resourceFieldRef: { containerName, ...resourceFieldRef },
    },
  };
}

/** What is mounted later inside a volume is the app's affair. */
function movedMount(
  { mountPropagation: _, ...mount }: VolumeMount,
): VolumeMount {
  const path = mount.mountPath.replace(/^\/+/, "");
  return { ...mount, mountPath: `${volumesPath}/${path}` };
}

/** The app's user, so that files that only it may read can be read. Nobody knows it: that of our image. */
function securityContextOf(
  { name, securityContext: own = {} }: PodContainer,
  { spec: { securityContext: ofPod = {} }, users }: {
    spec: PodSpec;
    users: AgentSpec["users"];
  },
) {
  const shown = users[name];
  const uid = own.runAsUser ?? ofPod.runAsUser ?? shown?.uid;
  const gid = own.runAsGroup ?? ofPod.runAsGroup ?? shown?.gid;
  const { seLinuxOptions } = own;
  return {
    ...restricted,
    runAsNonRoot: uid !== 0,
    ...uid === undefined ? {} : { runAsUser: uid },
    ...gid === undefined ? {} : { runAsGroup: gid },
    ...seLinuxOptions === undefined ? {} : { seLinuxOptions },
  };
}
