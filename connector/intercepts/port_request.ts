import type { PodPort, Protocol } from "../../manager/api.ts";

/** A port as its user names it: `8080:http`. */
export interface PortRequest {
  /** Absent: as in the container. */
  laptop?: number;
  /** Name or number of a Service's or container's port; absent: the only one there is. */
  wanted?: string;
  /** Absent: any. */
  protocol?: Protocol;
}

const portName = /^(?=.*[a-z])[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/**
 * Reads `LAPTOP[:PORT][/TCP|/UDP]`, where PORT is a name or a number.
 *
 * @throws {SyntaxError}
 */
export function parsePortRequest(text: string): PortRequest {
  const { rest, protocol } = splitProtocol(text);
  const [laptopText = "", wanted, ...more] = rest.split(":");
  const laptop = parsePort(laptopText);
  const isWanted = wanted === undefined || parsePort(wanted) !== undefined ||
    portName.test(wanted);
  if (laptop === undefined || !isWanted || more.length > 0) {
    throw new SyntaxError(
      `Cannot read port "${text}": it is not LAPTOP-PORT[:PORT-NAME-OR-NUMBER][/TCP|/UDP]`,
    );
  }
  return {
    laptop,
    ...wanted === undefined ? {} : { wanted },
    ...protocol === undefined ? {} : { protocol },
  };
}

/**
 * Reads `PORT[/TCP|/UDP]`.
 *
 * @throws {SyntaxError}
 */
export function parsePodPort(text: string): PodPort {
  const { rest, protocol = "TCP" } = splitProtocol(text);
  const port = parsePort(rest);
  if (port === undefined) {
    throw new SyntaxError(
      `Cannot read port "${text}": it is not PORT-NUMBER[/TCP|/UDP]`,
    );
  }
  return { port, protocol };
}

function splitProtocol(text: string): { rest: string; protocol?: Protocol } {
  const match = /^(.*)\/(tcp|udp)$/i.exec(text);
  if (match === null) return { rest: text };
  return {
    rest: match[1]!,
    protocol: match[2]!.toUpperCase() as Protocol,
  };
}

function parsePort(text: string): number | undefined {
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port > 0 && port < 65_536 ? port : undefined;
}

/** As its user would write it. */
export function formatPortRequest(
  { laptop, wanted, protocol }: PortRequest,
): string {
  const parts = [laptop, wanted].filter((part) => part !== undefined);
  return parts.join(":") + (protocol === undefined ? "" : `/${protocol}`);
}
