/**
 * The workflows of a worker that had some of its own, and Drover's beside them. Only the bundler loads
 * this, through `drover-plugin.ts`. Deterministic.
 */
import * as own from 'drover-own-workflows';
import { driveRun, giveTurns } from './workflows/index.ts';

// By a computed name: a bundler would call a default export that is not there an error.
const held = (name: string): unknown => (own as Readonly<Record<string, unknown>>)[name];

for (const [name, ours] of Object.entries({ driveRun, giveTurns })) {
  const named = held(name);
  if (named !== undefined && named !== ours) {
    throw new TypeError(
      `This worker has a workflow of its own called ${name}, which is the name of Drover's. Rename it.`,
    );
  }
}

export * from 'drover-own-workflows';
export { driveRun, giveTurns };
/** A default export handles every workflow type that has no function of its own. */
const fallback = held('default');
// oxlint-disable-next-line import/no-default-export -- Temporal knows it by this name.
export default fallback;
