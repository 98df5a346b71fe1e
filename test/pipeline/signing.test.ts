import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { suite, test } from "node:test";
import { signingKey, verifyCallback } from "../../src/outbound/signature.ts";
import { onEachDatabase, freshStorage } from "../support/databases.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { PARTNER_ID, startWay } from "../support/way.ts";

const [SHARED, FIRST, SECOND] = [
  "the secret that all share",
  "whsec_Zmlyc3QgZmlyc3QgZmlyc3Q=",
  "second secret",
];
const HOUR_MS = 3_600_000;

onEachDatabase("a partner's signing secret", (kind) => {
  suite("rotation", () => {
    test("both sign until the overlap is over; X-Callback-Signature is the present one's", async (t) => {
      const clock = createFakeClock();
      const storage = await freshStorage(kind);
      const way = await startWay({ storage, clock, signingSecret: SHARED });
      t.after(() => way.close());
      const rotate = (secret: string | null, until: number | null, inherited: string | null = null) =>
        storage.partners.rotateSigningSecret(PARTNER_ID, secret, { inherited, until }, clock.nowMs);

      /** The secrets that the next callback proves. */
      async function signers(): Promise<{ standard: string[]; own: string | undefined }> {
        await way.order();
        await way.work();
        const { headers, body } = way.partner.requests.at(-1)!;
        const nowSecs = Math.floor(clock.nowMs / 1000);
        const secrets = [SHARED, FIRST, SECOND];
        const own = secrets.find((secret) => {
          const expected = createHmac("sha256", signingKey(secret)).update(body).digest("hex");
          return headers["x-callback-signature"] === expected;
        });
        const given = String(headers["webhook-signature"] ?? "").split(" ");
        const standard = given.flatMap((signature) =>
          secrets.filter((secret) =>
            verifyCallback({
              body,
              headers: { ...headers, "webhook-signature": signature },
              keys: [signingKey(secret)],
              nowSecs,
            }),
          ),
        );
        return { standard, own };
      }

      assert.deepEqual(await signers(), { standard: [SHARED], own: SHARED });
      await rotate(FIRST, clock.nowMs + HOUR_MS, SHARED);
      assert.deepEqual(await signers(), { standard: [FIRST, SHARED], own: FIRST });
      clock.advance(HOUR_MS);
      assert.deepEqual(await signers(), { standard: [FIRST], own: FIRST });

      await rotate(SECOND, clock.nowMs + HOUR_MS, SHARED);
      assert.deepEqual(
        await signers(),
        { standard: [SECOND, FIRST], own: SECOND },
        "its own, not the shared one",
      );
      await rotate(null, clock.nowMs + HOUR_MS);
      assert.deepEqual(await signers(), { standard: [SHARED, SECOND], own: SHARED });
      await rotate(FIRST, null, SHARED);
      assert.deepEqual(await signers(), { standard: [FIRST], own: FIRST }, "a leaked one ends at once");
      assert.equal(
        await storage.partners.rotateSigningSecret("nobody", null, { inherited: null, until: null }, 0),
        false,
      );
    });
  });
});
