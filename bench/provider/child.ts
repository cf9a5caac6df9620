/** The emulator in a process of its own, so that it shares neither the bench's event loop nor a worker's. */
import { startEmulator } from '../../src/emulator/index.ts';
import type { Script } from '../../src/emulator/index.ts';
import { TOOLS } from './script.ts';

/** From the parent: models to play, each an assistant of the same id too. Answered by an {@link Ack}. */
export interface Define {
  readonly seq: number;
  readonly models: readonly { readonly id: string; readonly script: Script }[];
}

export interface Ack {
  readonly seq: number;
}

/** No run expires here: some think for longer than the ten minutes that a provider allows. */
const NEVER_MS = 2_000_000_000;

const emulator = await startEmulator({
  expiresAfterMs: NEVER_MS,
  ...(process.argv[2] === undefined ? {} : { journalFile: process.argv[2] }),
});
process.on('message', ({ seq, models }: Define) => {
  for (const { id, script } of models) {
    emulator.setScript(id, script);
    emulator.createAssistant({ id, model: id, tools: TOOLS });
  }
  process.send?.({ seq } satisfies Ack);
});
process.on('disconnect', () => process.exit(0));
process.send?.({ url: emulator.url });
