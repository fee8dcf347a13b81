/** Errors that have a meaning here (errno(3)), by their numbers on Linux and on macOS. */
const numbers = {
  EPERM: [1, 1],
  ENOENT: [2, 2],
  ESRCH: [3, 3],
  ENXIO: [6, 6],
  EAGAIN: [11, 35],
  ENOMEM: [12, 12],
  EACCES: [13, 13],
  EBUSY: [16, 16],
  EEXIST: [17, 17],
  ENODEV: [19, 19],
  ENFILE: [23, 23],
  EMFILE: [24, 24],
  EMSGSIZE: [90, 40],
  EAFNOSUPPORT: [97, 47],
  EADDRNOTAVAIL: [99, 49],
  ENETDOWN: [100, 50],
  ENETUNREACH: [101, 51],
  ENOBUFS: [105, 55],
  ECONNREFUSED: [111, 61],
  EHOSTDOWN: [112, 64],
  EHOSTUNREACH: [113, 65],
} as const;

export type ErrorName = keyof typeof numbers;

const names = Object.keys(numbers) as ErrorName[];
const column = Deno.build.os === "darwin" ? 1 : 0;

/** Their numbers on this system. */
export const errnos = Object.fromEntries(
  names.map((name) => [name, numbers[name][column]]),
) as Record<ErrorName, number>;

const nameOf = new Map(names.map((name) => [errnos[name], name]));

/** The name of an error of this system; `undefined` for one that has no meaning here. */
export function errorName(errno: number): ErrorName | undefined {
  return nameOf.get(errno);
}
