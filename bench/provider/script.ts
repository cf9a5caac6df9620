/** What the scripted model of a job does: pure. */
import type { Script, Step } from '../../src/emulator/index.ts';

const tool = (name: string, property: string, type: string): object => ({
  type: 'function',
  function: {
    name,
    description: 'For the bench.',
    parameters: { type: 'object', properties: { [property]: { type } }, required: [property] },
  },
});

/** Those that the models call; `work_long` only where the script says so. */
export const TOOLS: readonly object[] = [
  tool('look_up', 'what', 'string'),
  tool('work_long', 'ms', 'integer'),
];

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
