/**
 * One suite for every backend. A backend's test file calls {@link describeBackend} once, with a harness that
 * speaks its wire and a list of the cases that it skips, each with its reason.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { Harness, Setup } from '../support/backend-harness.ts';
import { CANCEL_CASES } from './cases-cancel.ts';
import { CREATE_CASES } from './cases-create.ts';
import { FIELD_CASES } from './cases-fields.ts';
import { QUIRK_CASES } from './cases-quirks.ts';
import { SUBMIT_CASES } from './cases-submit.ts';
import { WAIT_CASES } from './cases-wait.ts';

/** A case starts its own emulator with its own quirks; the suite closes it. */
export type Start = (setup?: Setup) => Promise<Harness>;
export type Case = readonly [title: string, run: (start: Start) => Promise<void>];

export const CASES = {
  ...CREATE_CASES,
  ...SUBMIT_CASES,
  ...WAIT_CASES,
  ...CANCEL_CASES,
  ...QUIRK_CASES,
  ...FIELD_CASES,
} satisfies Record<string, Case>;

export type CaseName = keyof typeof CASES;

export interface Skip {
  readonly case: CaseName;
  /** The capability or the trait of the wire that makes the case meaningless. It is printed. */
  readonly reason: string;
}

export function describeBackend(
  name: string,
  backend: { readonly start: Start; readonly skip: readonly Skip[] },
): void {
  const reasons = new Map(backend.skip.map((skip) => [skip.case, skip.reason]));
  const open: Harness[] = [];

  afterEach(async () => {
    for (const harness of open.splice(0)) await harness.close();
  });

  describe(`backend ${name}`, () => {
    for (const [id, [title, run]] of Object.entries<Case>(CASES)) {
      test(`${title} [${id}]`, async (context) => {
        const reason = reasons.get(id as CaseName);
        context.skip(reason !== undefined, reason);
        expect.hasAssertions();
        await run(async (setup) => {
          const harness = await backend.start(setup);
          open.push(harness);
          return harness;
        });
      });
    }
  });
}
