/** One attachment of a file as what `tp` does about it, with what the schema cannot look at. Pure. */
import {
  type InterceptRequest,
  parsePodPort,
  parsePortRequest,
} from "../../connector/api.ts";
import { type Fault, placeBelow } from "../../schema/mod.ts";
import type { EnvFileFlags } from "../_env_file.ts";
import { matchOf, parseHeaderMatch } from "../_header_match.ts";
import { interceptRequest } from "../_intercept_request.ts";
import { parseLaptopAddress } from "../_laptop_address.ts";
import { parseMount } from "../_mount.ts";
import type { Command } from "./handler.ts";
import type { Attachment } from "./state.ts";

export interface DeclaredAttachment {
  readonly request: InterceptRequest;
  readonly env: EnvFileFlags;
  /** What runs as long as it is there. */
  readonly command?: Command;
}

export interface ReadOptions {
  /** Of the attachment in the file. */
  place: string;
  /** Absolute; what paths in the file are relative to. */
  directory: string;
  /** Told what is wrong; what is returned is of no use then. */
  fault: (fault: Fault) => void;
}

/** @param attachment Of the schema's shape. */
export function readAttachment(
  attachment: Attachment,
  { place, directory, fault }: ReadOptions,
): DeclaredAttachment {
  const { type, name, env = {}, command, mount = true } = attachment;
  /** What `read` makes of the value of a property, or nothing and a fault. */
  const at = <T>(keys: readonly (string | number)[], read: () => T): T[] => {
    try {
      return [read()];
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const below = keys.reduce<string>(placeBelow, place);
      fault({ place: below, text: error.message });
      return [];
    }
  };
  const { workload, service, namespace, container, address } = attachment;
  const port = (attachment.ports ?? []).flatMap((one, i) =>
    at(["ports", i], () => parsePortRequest(String(one)))
  );
  const toPod = (attachment.toPod ?? []).flatMap((one, i) =>
    at(["toPod", i], () => parsePodPort(String(one)))
  );
  const httpHeader = headersOf(attachment).flatMap(([key, text]) =>
    at(["httpHeaders", key], () => parseHeaderMatch(text))
  );
  const paths = pathsOf(attachment);
  if (paths.length > 1) {
    const text = `has ${paths.length} conditions of the path with ` +
      `${paths.map(({ key }) => key).join(" and ")}, of which tp takes one; ` +
      "make an attachment of each";
    fault({ place, text });
  }
  const [path] = paths.slice(0, paths.length === 1 ? 1 : 0);
  const match = {
    httpHeader,
    ...path === undefined ? {} : { [path.flag]: path.value },
    httpMethod: attachment.httpMethods ?? [],
    httpAny: attachment.httpAny ?? false,
  };
  const isMatch =
    at(path === undefined ? [] : [path.key, 0], () => matchOf(match)).length >
      0;
  if (address !== undefined) at(["address"], () => parseLaptopAddress(address));
  const [mounted = "off"] = at(
    ["mount"],
    () => parseMount(String(mount), directory),
  );
  const flags = {
    ...workload === undefined ? {} : { workload },
    ...service === undefined ? {} : { service },
    ...namespace === undefined ? {} : { namespace },
    ...container === undefined ? {} : { container },
    ...address === undefined ? {} : { address },
    ...{ port, toPod, localOnly: attachment.localOnly ?? false },
    ...isMatch ? match : {},
    mount: attachment.localOnly ? "off" as const : mounted,
  };
  return {
    request: {
      ...interceptRequest(type, { name, flags }),
      isHeld: false,
      ...command === undefined ? {} : { isServedLater: true },
    },
    env: {
      ...env.file === undefined ? {} : { envFile: below(env.file, directory) },
      ...env.syntax === undefined ? {} : { envSyntax: env.syntax },
      ...env.json === undefined ? {} : { envJson: below(env.json, directory) },
    },
    ...command === undefined ? {} : { command: { argv: command, directory } },
  };
}

/** A path of the file, absolute. */
export function below(path: string, directory: string): string {
  return path.startsWith("/") ? path : `${directory}/${path}`;
}

/** Each with its key in the file. */
function headersOf(
  { httpHeaders = [] }: Attachment,
): [string | number, string][] {
  if (Array.isArray(httpHeaders)) {
    return httpHeaders.map((text: string, i) => [i, text]);
  }
  return Object.entries(httpHeaders).map((
    [name, value],
  ) => [name, `${name}=${value}`]);
}

function pathsOf(attachment: Attachment) {
  const kinds = [
    { key: "httpPathEqualities", flag: "httpPathEqual" },
    { key: "httpPathPrefixes", flag: "httpPathPrefix" },
    { key: "httpPathRegexps", flag: "httpPathRegex" },
  ] as const;
  return kinds.flatMap(({ key, flag }) =>
    (attachment[key] ?? []).map((value) => ({ key, flag, value }))
  );
}
