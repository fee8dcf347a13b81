/** Numbers and forms of the C library that sockets need, which differ between systems but not between machines. */

const isDarwin = Deno.build.os === "darwin";

/** AF_INET, AF_INET6 */
export const families = { 4: 2, 6: isDarwin ? 30 : 10 } as const;

/** The longest socket address of either. */
export const sockaddrOctets = 28;

/** Where the family stands in a socket address; macOS has its length before. */
export const familyAt = isDarwin ? 1 : 0;

/** Where the address stands in it. */
export const ipAt = { 4: 4, 6: 8 } as const;

/** The length of the socket address of each family. */
export const sockaddrBytes = { 4: 16, 6: 28 } as const;
