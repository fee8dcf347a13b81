/** A port of a command's own network, and where it is on the laptop's loopback address. */
export interface PublishedPort {
  readonly laptop: number;
  readonly inside: number;
}

/**
 * Reads `[LAPTOP:]PORT`.
 *
 * @throws {SyntaxError}
 */
export function parsePublishedPort(text: string): PublishedPort {
  const ports = text.split(":").map(parsePort);
  const [laptop, inside = laptop, ...more] = ports;
  if (laptop && inside && ports.every(Boolean) && more.length === 0) {
    return { laptop, inside };
  }
  throw new SyntaxError(
    `Cannot publish "${text}": it is not [LAPTOP-PORT:]PORT-NUMBER`,
  );
}

function parsePort(text: string): number | undefined {
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port > 0 && port < 65_536 ? port : undefined;
}
