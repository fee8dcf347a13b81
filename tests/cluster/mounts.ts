import { stateDir } from "./paths.ts";

/**
 * A shell script for a fresh mount namespace: each of the directories becomes a writable copy that nobody else sees
 * and that ends with the namespace. /run becomes empty. The state directory stays the shared one, wherever it is.
 * Named network namespaces are let go, else this one would keep them alive.
 */
export function privateCopies(directories: readonly string[]): string {
  const scratch = (directory: string) =>
    `/run/.private${directory.replaceAll("/", "-")}`;
  const lines = [
    "umount --lazy --recursive /run/netns 2>/dev/null || true",
    "mount -t tmpfs -o mode=755 tmpfs /run",
    "mkdir /run/.state",
    `mount --bind ${stateDir} /run/.state`,
  ];
  for (const directory of directories) {
    const at = scratch(directory);
    lines.push(
      `mkdir -p ${at}/upper ${at}/work`,
      `chmod --reference=${directory} ${at}/upper`,
      `mount -t overlay overlay -o lowerdir=${directory},upperdir=${at}/upper,workdir=${at}/work ${directory}`,
    );
  }
  lines.push(`mount --move /run/.state ${stateDir}`, "rmdir /run/.state");
  return lines.join("\n");
}
