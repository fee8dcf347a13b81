/**
 * A file of what a laptop shall have, as it is to be done.
 *
 * 1. YAML, of which JSON is a part: one document.
 * 2. Its shape is the published schema's.
 * 3. What has the right shape must make sense, too.
 *
 * All that is wrong is told at once.
 */
import { type Fault, placeBelow } from "../../schema/mod.ts";
import { parse } from "../../yaml.ts";
import type { ConnectFlags } from "../_connect_flags.ts";
import { CommandError } from "../_error.ts";
import {
  below,
  type DeclaredAttachment,
  readAttachment,
} from "./attachment.ts";
import { stateFaults } from "./shape.ts";
import {
  type Attachment,
  type DeclaredConnection,
  type WorkstationState,
} from "./state.ts";

export interface Declared {
  /** Absent: whatever connection there is. */
  readonly connection?: Partial<ConnectFlags>;
  /** Their names differ. */
  readonly attachments: readonly DeclaredAttachment[];
}

/**
 * Reads the text of a file.
 *
 * @param options.file For people.
 * @param options.directory Absolute; what paths in the file are relative to.
 * @throws {CommandError} with all that is wrong.
 */
export function readState(
  text: string,
  { file, directory }: { file: string; directory: string },
): Declared {
  const value = readYaml(text, file);
  const faults = stateFaults(value);
  const { connection, attachments } = soundPart(value, faults);
  const read = attachments.map(([place, attachment]) =>
    readAttachment(attachment, {
      ...{ place, directory, fault: (one) => faults.push(one) },
    })
  );
  faults.push(...twice(read, attachments));
  if (faults.length > 0) throw faultsError(file, faults);
  return {
    ...connection === undefined ? {} : {
      connection: connectFlags(connection, directory),
    },
    attachments: read,
  };
}

function readYaml(text: string, file: string): unknown {
  try {
    return parse(text, { logLevel: "error" });
  } catch (cause) {
    const { code, message } = cause as Error & { code?: string };
    if (code === "MULTIPLE_DOCS") {
      throw new CommandError(
        `Cannot read "${file}": it has several documents`,
        "Put all attachments into one, or each document into a file of its own",
        { cause },
      );
    }
    const [first] = message.split("\n");
    throw new CommandError(
      `Cannot read "${file}": it is neither YAML nor JSON`,
      first!.replace(/:$/, ""),
      { cause },
    );
  }
}

/** What of a file that has faults can be looked at further. */
function soundPart(
  value: unknown,
  faults: readonly Fault[],
): { connection?: DeclaredConnection; attachments: [string, Attachment][] } {
  const { connection, attachments } = (value ?? {}) as WorkstationState;
  const isSound = (place: string) =>
    !faults.some((fault) =>
      fault.place === place || fault.place.startsWith(`${place}.`) ||
      fault.place.startsWith(`${place}[`)
    );
  const all = Array.isArray(attachments) ? attachments as Attachment[] : [];
  return {
    ...connection === undefined ? {} : { connection },
    attachments: all.flatMap((attachment, i): [string, Attachment][] => {
      const place = placeBelow("attachments", i);
      const isObject = typeof attachment === "object" && attachment !== null &&
        !Array.isArray(attachment);
      if (!isObject) return [];
      const sound = Object.fromEntries(
        Object.entries(attachment).filter(([key]) =>
          isSound(placeBelow(place, key))
        ),
      );
      // Of what is missing, too, something stands in.
      const whole = { type: "intercept", name: `${i}`, ...sound };
      return [[place, whole as unknown as Attachment]];
    }),
  };
}

function twice(
  read: readonly DeclaredAttachment[],
  attachments: readonly [string, Attachment][],
): Fault[] {
  const first = new Map<string, string>();
  return read.flatMap(({ request: { name } }, i) => {
    const [place] = attachments[i]!;
    const before = first.get(name);
    if (before === undefined) {
      first.set(name, place);
      return [];
    }
    const text = `is "${name}", as ${before} is; give it another name, ` +
      "and name the workload by `workload`";
    return [{ place: placeBelow(place, "name"), text }];
  });
}

function connectFlags(
  { kubeconfig, name: _, ...others }: DeclaredConnection,
  directory: string,
): Partial<ConnectFlags> {
  if (kubeconfig === undefined) return others;
  const files = kubeconfig.split(":").map((path) => below(path, directory));
  return { ...others, kubeconfig: files.join(":") };
}

function faultsError(file: string, faults: readonly Fault[]): CommandError {
  const count = faults.length === 1 ? "one thing" : `${faults.length} things`;
  const inOrder = faults.toSorted((a, b) => rank(a) - rank(b));
  const lines = inOrder.map(({ place, text }) => `${place || "file"}: ${text}`);
  return new CommandError(
    `Cannot use "${file}": ${count} in it must be put right`,
    lines.join("\n    "),
  );
}

/** In the order of the file, as far as attachments go. */
function rank({ place }: Fault): number {
  return Number(/^attachments\[(\d+)\]/.exec(place)?.[1] ?? -1);
}
