/**
 * How long a UDP flow lasts on which nothing goes either way: two minutes at least (RFC 4787 section 4.3). Who opened it
 * ends it first; who accepted it waits longer, for an opener that cannot.
 */
export const udpIdleMs = { opener: 120_000, acceptor: 180_000 } as const;
