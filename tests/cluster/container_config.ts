/** What a container may do and sees, as Docker gives it: an OCI runtime configuration. Pure. */

export interface ContainerPlace {
  /** Path of its root filesystem. */
  readonly rootfs: string;
  /** Path of the network namespace that it is in. */
  readonly netns: string;
  readonly hostname: string;
  readonly cgroup: string;
  /** Files of the outside, each bound over one of the root filesystem. */
  readonly files: Readonly<Record<string, string>>;
  /** With `--device /dev/net/tun --cap-add NET_ADMIN`. */
  readonly withTun: boolean;
}

/** Docker's own default (moby, `oci/caps/defaults.go`). */
const capabilities = [
  ...["CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW"],
  ...["SETGID", "SETUID", "SETFCAP", "SETPCAP", "NET_BIND_SERVICE"],
  ...["SYS_CHROOT", "KILL", "AUDIT_WRITE"],
];

/** What Docker's seccomp profile refuses without CAP_SYS_ADMIN, of what a program like ours may try. */
const refusedCalls = [
  ...["unshare", "setns", "mount", "umount2", "pivot_root", "bpf"],
  ...["perf_event_open", "open_by_handle_at", "fsopen", "move_mount"],
];
/** Any of CLONE_NEW*, but not CLONE_NEWTIME. */
const newNamespaces = 0x7e020000;
const errnos = { EPERM: 1, ENOSYS: 38 };

const tmpfs = (destination: string, ...options: string[]) => ({
  ...{ destination, type: "tmpfs", source: "tmpfs" },
  options: ["nosuid", ...options],
});
const tun = { type: "c", major: 10, minor: 200 };

/** The configuration; its first process does nothing, and as in most containers takes leave of no orphan. */
export function containerConfig(place: ContainerPlace): object {
  const { rootfs, netns, hostname, cgroup, files, withTun } = place;
  const names = [...capabilities, ...withTun ? ["NET_ADMIN"] : []]
    .map((name) => `CAP_${name}`);
  return {
    ociVersion: "1.0.2",
    process: {
      ...{ terminal: false, cwd: "/", user: { uid: 0, gid: 0 } },
      args: ["sleep", "infinity"],
      env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
      capabilities: {
        ...{ bounding: names, effective: names, permitted: names },
      },
    },
    root: { path: rootfs },
    hostname,
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      tmpfs("/dev", "mode=755"),
      {
        ...{ destination: "/dev/pts", type: "devpts", source: "devpts" },
        options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666"],
      },
      tmpfs("/dev/shm", "nodev", "noexec"),
      {
        ...{ destination: "/sys", type: "sysfs", source: "sysfs" },
        options: ["nosuid", "noexec", "nodev", "ro"],
      },
      ...Object.entries(files).map(([destination, source]) => ({
        ...{ destination, source, type: "bind" },
        options: ["rbind", "rprivate"],
      })),
    ],
    linux: {
      namespaces: [
        ...["pid", "ipc", "uts", "mount"].map((type) => ({ type })),
        { type: "network", path: netns },
      ],
      cgroupsPath: cgroup,
      devices: withTun ? [{ path: "/dev/net/tun", ...tun, fileMode: 438 }] : [],
      resources: {
        devices: [
          { allow: false, access: "rwm" },
          ...withTun ? [{ allow: true, ...tun, access: "rwm" }] : [],
        ],
      },
      readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"],
      maskedPaths: ["/proc/kcore", "/proc/keys", "/proc/timer_list"],
      seccomp: {
        defaultAction: "SCMP_ACT_ALLOW",
        architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
        syscalls: [
          {
            names: refusedCalls,
            ...{ action: "SCMP_ACT_ERRNO", errnoRet: errnos.EPERM },
          },
          {
            names: ["clone3"],
            ...{ action: "SCMP_ACT_ERRNO", errnoRet: errnos.ENOSYS },
          },
          ...namespaceBits().map((value) => ({
            names: ["clone"],
            ...{ action: "SCMP_ACT_ERRNO", errnoRet: errnos.EPERM },
            args: [{
              ...{ index: 0, value, valueTwo: value },
              op: "SCMP_CMP_MASKED_EQ",
            }],
          })),
        ],
      },
    },
  };
}

/** A rule of seccomp holds when all of its bits are set, so each has its own. */
function namespaceBits(): number[] {
  return Array.from({ length: 31 }, (_, bit) => 2 ** bit)
    .filter((value) => (newNamespaces & value) !== 0);
}
