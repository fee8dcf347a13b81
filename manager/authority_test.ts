import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { FakeClock } from "../net/clock_fake.ts";
import {
  type Authorities,
  Authority,
  type AuthorityStore,
  successor,
} from "./authority.ts";
import { type Certificate, validityOf } from "./certificate.ts";

const dayMs = 86_400_000;
const start = Date.parse("2030-01-01T00:00:00Z");

/** One Secret that several copies see. */
class SharedStore {
  version = 0;
  authorities: Authorities | undefined;

  /** What one copy sees of it. */
  copy(): AuthorityStore {
    let read = -1;
    return {
      read: () => {
        read = this.version;
        return Promise.resolve(this.authorities);
      },
      write: (authorities) => {
        if (read !== this.version) return Promise.resolve(false);
        this.version++;
        this.authorities = authorities;
        return Promise.resolve(true);
      },
    };
  }
}

async function first<T>(feed: AsyncIterable<T>): Promise<T> {
  for await (const value of feed) return value;
  throw new Error("no value");
}

const signal = new AbortController().signal;

function isSignedBy(certificate: Certificate, issuer: string): boolean {
  const { publicKey } = new X509Certificate(issuer);
  return new X509Certificate(certificate.cert).verify(publicKey);
}

/** Lets time pass, by `ms` and again, until it has happened. */
async function passing<T>(
  clock: FakeClock,
  ms: number,
  happening: Promise<T>,
): Promise<T> {
  let over = false;
  const ended = happening.finally(() => over = true);
  while (!over) {
    clock.advance(ms);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return await ended;
}

Deno.test("successor() makes what is missing, keeps what is fresh, and hands over after a year", async () => {
  const made = await successor(undefined, start);
  assert.notEqual(made.present.cert, made.next.cert);
  assert.equal(await successor(made, start + 300 * dayMs), made);
  const year = start + 366 * dayMs;
  const second = await successor(made, year);
  assert.equal(second.present, made.next);
  assert.notEqual(second.next, made.next);
  assert.equal(await successor(second, year + 360 * dayMs), second);
  const third = await successor(second, year + 366 * dayMs);
  assert.equal(third.present, second.next);
  assert.ok(made.line !== undefined);
  assert.equal(third.line, made.line);
});

Deno.test("an authority is valid as long as it is the present one, and a month more", async () => {
  let authorities = await successor(undefined, start);
  for (let day = 0; day < 5 * 366; day += 30) {
    const now = start + day * dayMs;
    authorities = await successor(authorities, now);
    const { notBefore, notAfter } = validityOf(authorities.present);
    assert.ok(notBefore.getTime() < now, `day ${day}`);
    assert.ok(notAfter.getTime() > now + 30 * dayMs, `day ${day}`);
  }
});

Deno.test("successor() begins anew when nobody was there for years", async () => {
  const made = await successor(undefined, start);
  const late = await successor(made, start + 900 * dayMs);
  assert.ok(![late.present, late.next].includes(made.next));
  assert.notEqual(late.line, made.line);
});

Deno.test("copies that start together agree on one authority", async () => {
  const store = new SharedStore();
  const clock = new FakeClock();
  const told: string[] = [];
  const open = () =>
    new Authority({
      ...{ store: store.copy(), clock, time: () => start },
      makeTrusted: (bundle) => Promise.resolve(void told.push(bundle)),
    });
  await using one = open();
  await using other = open();
  const bundle = await first(one.bundles.follow({ signal }));
  assert.equal(await first(other.bundles.follow({ signal })), bundle);
  const { present, next } = store.authorities!;
  assert.equal(bundle, present.cert + next.cert);
  assert.deepEqual(new Set(told), new Set([bundle]));
  assert.equal(store.version, 1);
});

Deno.test("Authority gives each name a certificate of the present authority, and another each day", async () => {
  const store = new SharedStore();
  const clock = new FakeClock();
  await using authority = new Authority({
    ...{ store: store.copy(), clock, time: () => start + clock.now() },
    makeTrusted: () => Promise.resolve(),
  });
  const feed = authority.certificates("a.invalid");
  const one = await first(feed.follow({ signal }));
  assert.equal(authority.certificates("a.invalid"), feed);
  const read = new X509Certificate(one.cert);
  assert.equal(read.subjectAltName, "DNS:a.invalid");
  assert.ok(isSignedBy(one, store.authorities!.present.cert));
  assert.ok(validityOf(one).notAfter.getTime() >= start + 2 * dayMs);
  const changes = feed.follow({ signal });
  await changes.next();
  const change = changes.next();
  const { value: two } = await passing(clock, dayMs, change);
  assert.notEqual(two!.cert, one.cert);
  await changes.return(undefined);
  // Later ones too: what it asks for is known at its next look.
  const late = await first(
    authority.certificates("b.invalid").follow({ signal }),
  );
  assert.equal(new X509Certificate(late.cert).subjectAltName, "DNS:b.invalid");
});

Deno.test("Authority serves under the one that another copy made the present one", async () => {
  const store = new SharedStore();
  const clock = new FakeClock();
  await using authority = new Authority({
    ...{ store: store.copy(), clock, time: () => start },
    makeTrusted: () => Promise.resolve(),
  });
  const feed = authority.certificates("a.invalid");
  await first(feed.follow({ signal }));
  const before = store.authorities!;
  store.authorities = await successor(before, start + 366 * dayMs);
  const changes = feed.follow({ signal });
  await changes.next();
  const change = changes.next();
  const { value: after } = await passing(clock, 60_000, change);
  assert.ok(isSignedBy(after!, before.next.cert));
  await changes.return(undefined);
});

Deno.test("Authority writes back what somebody deleted, and serves on under it", async () => {
  const store = new SharedStore();
  const clock = new FakeClock();
  await using authority = new Authority({
    ...{ store: store.copy(), clock, time: () => start + clock.now() },
    makeTrusted: () => Promise.resolve(),
  });
  const feed = authority.certificates("a.invalid");
  await first(feed.follow({ signal }));
  const before = store.authorities!;
  store.authorities = undefined;
  store.version++;
  const changes = feed.follow({ signal });
  await changes.next();
  // The certificate of the next day.
  const { value: after } = await passing(clock, dayMs, changes.next());
  assert.deepEqual(store.authorities, before);
  assert.ok(isSignedBy(after!, before.present.cert));
  await changes.return(undefined);
});

Deno.test("Authority goes on when the API server fails, and when the webhook cannot be told", async () => {
  const store = new SharedStore();
  const clock = new FakeClock();
  const copy = store.copy();
  let failures = 1;
  const failed = Promise.withResolvers<void>();
  await using authority = new Authority({
    store: {
      ...copy,
      read: () => {
        if (failures-- <= 0) return copy.read();
        failed.resolve();
        return Promise.reject(new Error("no answer"));
      },
    },
    ...{ clock, time: () => start },
    makeTrusted: () => Promise.reject(new Error("no such object")),
  });
  await failed.promise;
  const bundle = first(authority.bundles.follow({ signal }));
  assert.match(await passing(clock, 5_000, bundle), /BEGIN CERTIFICATE/);
});
