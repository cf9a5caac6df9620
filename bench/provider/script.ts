/** What the scripted model of a job does: pure. */
import type { Script, Step } from '../../src/emulator/index.ts';

/** The tool that every job's model calls; each driver's does nothing. */
export const TOOL = {
  type: 'function',
  function: {
    name: 'look_up',
    description: 'Looks something up.',
    parameters: { type: 'object', properties: { what: { type: 'string' } }, required: ['what'] },
  },
} as const;

/**
 * One call a round, then an answer.
 *
 * @param thinkMs of the first turn
 * @param thenMs of each further turn. @default as the first one
 */
export function scriptOf(rounds: number, thinkMs: number, thenMs = thinkMs): Script {
  const steps: Step[] = [];
  for (let turn = 0; turn <= rounds; turn += 1) {
    steps.push({ think_ms: turn === 0 ? thinkMs : thenMs });
    if (turn < rounds) steps.push({ call: [{ name: 'look_up', arguments: { what: `thing ${turn}` } }] });
  }
  return { attempts: [{ steps: [...steps, { answer: 'Done.' }] }] };
}
