import { createHash } from "node:crypto";

/** Of a container, and of a volume. */
const maxNameLength = 63;
const digits = 8;

/** Name of the container that has an app's environment and volumes, and of the volume with its sockets. */
export function filesName(container: string): string {
  const name = `tp-files-${container}`;
  if (name.length <= maxNameLength) return name;
  const hash = createHash("sha256").update(container).digest("hex");
  const kept = name.slice(0, maxNameLength - digits - 1);
  return `${kept}-${hash.slice(0, digits)}`;
}
