import assert from "node:assert/strict";
import fc from "fast-check";
import type { Body } from "./_http_body.ts";
import { listItems } from "./_list_items.ts";
import { ObstacleError } from "./unreachable.ts";

/** A body of pieces of `size` octets. */
function bodyOf(text: string, size = 7): Body {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return {
    read: () => {
      if (at >= bytes.length) return Promise.resolve(null);
      at += size;
      return Promise.resolve(bytes.slice(at - size, at));
    },
  };
}

async function readAll(text: string, size?: number) {
  const items: unknown[] = [];
  const list = listItems<unknown>(bodyOf(text, size));
  let next = await list.next();
  for (; !next.done; next = await list.next()) items.push(next.value);
  return { items, metadata: next.value };
}

Deno.test("listItems() gives each object and what the list says of itself, wherever it is cut", async () => {
  const object = fc.object({ key: fc.string(), maxDepth: 3 });
  const list = fc.record({
    kind: fc.string({ unit: "binary" }),
    items: fc.array(object),
    metadata: fc.record({ resourceVersion: fc.string(), items: object }),
  });
  await fc.assert(
    fc.asyncProperty(
      list,
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom(0, 1),
      async (list, size, spaces) => {
        const text = JSON.stringify(list, null, spaces);
        const { items, metadata } = JSON.parse(text);
        assert.deepEqual(await readAll(text, size), { items, metadata });
      },
    ),
  );
});

Deno.test("listItems() is not led astray by what looks like its list", async () => {
  const metadata = { items: [{ a: 1 }], continue: 'x"],"items":[{"b":2}]' };
  const text = JSON.stringify({
    ...{ kind: "items", other: [{ c: 3 }, { items: [{ d: 4 }] }] },
    ...{ metadata, items: [{ items: [{ e: "}]\\" }] }, { f: [] }] },
  });
  assert.deepEqual(await readAll(text), {
    items: [{ items: [{ e: "}]\\" }] }, { f: [] }],
    metadata,
  });
});

Deno.test("listItems() takes a list that holds nothing", async () => {
  for (const items of ["[]", "null"]) {
    const text = `{"metadata":{"resourceVersion":"7"},"items":${items}}`;
    assert.deepEqual(await readAll(text), {
      items: [],
      metadata: { resourceVersion: "7" },
    });
  }
});

Deno.test("listItems() says of what is no list that it is no API server's", async () => {
  const list = '{"metadata":{},"items":[{"a":1}';
  for (const text of ["", "<html>[{}]</html>", "[]", "{}", "null", list]) {
    await assert.rejects(readAll(text), (error) => {
      assert.ok(error instanceof ObstacleError);
      assert.equal(error.obstacle.kind, "protocol");
      return true;
    }, text);
  }
});
