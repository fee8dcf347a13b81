import { formatWorld, type World } from "./world.ts";

/** By world, then by the world before it. */
const changes = new WeakMap<World, WeakMap<World, Uint8Array>>();
const wholes = new WeakMap<World, Uint8Array>();

/**
 * The line about a world, with its end, for who has `before` or nothing. It is written once for all who need the same one;
 * its octets must not be written to.
 */
export function worldLine(world: World, before?: World): Uint8Array {
  if (before === undefined) {
    return kept(wholes, world, () => encode(formatWorld(world)));
  }
  const ofWorld = kept(changes, world, () => new WeakMap());
  return kept(ofWorld, before, () => encode(formatWorld(world, before)));
}

function encode(line: string): Uint8Array {
  return new TextEncoder().encode(`${line}\n`);
}

function kept<K extends WeakKey, V>(
  map: WeakMap<K, V>,
  key: K,
  make: () => V,
): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
