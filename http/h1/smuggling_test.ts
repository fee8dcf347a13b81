import assert from "node:assert/strict";
import { serve } from "../serve_fake.ts";
import { smugglingCorpus } from "../smuggling_corpus.ts";

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

for (const { name, octets, outcome } of smugglingCorpus) {
  Deno.test(`smuggling: ${name} is ${outcome}`, async () => {
    const served = serve();
    const { client, app } = served;
    const sent = client.send(octets).catch(() => {});
    const talk = outcome === "refused" ? undefined : await app.accept();
    switch (outcome) {
      case "refused":
        assert.match(await client.rest(), /^HTTP\/1\.1 (400|431|505) /);
        break;
      case "cut": {
        assert.match(await client.rest(), /^HTTP\/1\.1 400 /);
        const { text, isBroken } = await talk!.all();
        assert.ok(isBroken, "the app could take it for whole");
        assert.ok(!text.includes("\r\n\r\nGET /smuggled"), text);
        break;
      }
      case "opaque":
        assert.equal(await talk!.octets(octets.length), octets);
        await talk!.send("\0answer");
        await talk!.conn.closeWrite();
        assert.equal(await client.rest(), "\0answer");
        break;
      case "forwarded":
        assert.equal(await talk!.octets(octets.length), octets);
        await talk!.send(ok);
        assert.equal(await client.octets(ok.length), ok);
    }
    await sent;
    await client.conn.closeWrite();
    await served.over;
    const targets = served.heads.map(({ target }) => target);
    assert.ok(!targets.includes("/smuggled"), `routed: ${targets}`);
    assert.ok(app.opened <= 1 && served.laptop.opened === 0);
  });
}
