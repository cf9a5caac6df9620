/** Tools that write down what they were asked and told, as real ones would in a database. */
import { z } from 'zod';
import { defineTool, type AnyTool } from '../../src/tools/define-tool.ts';
import { ToolError } from '../../src/tools/tool-error.ts';

export interface Effect {
  readonly tool: string;
  readonly args: unknown;
  readonly key: string;
  readonly context: unknown;
}

export interface Recording {
  readonly tools: readonly AnyTool[];
  readonly effects: Effect[];
  /** Holds every `refund_order` until it is called. */
  gate: Promise<void>;
  lookup: 'done' | 'not_done' | 'unknown';
}

/** The tools of a small shop; each call adds to `effects`. */
export function recordingTools(onUnknown: 'end' | 'wait' | 'tell_model' = 'end'): Recording {
  const recording: Recording = { tools: [], effects: [], gate: Promise.resolve(), lookup: 'unknown' };
  const record = (tool: string, args: unknown, given: { idempotencyKey: string; context: unknown }): void => {
    recording.effects.push({ tool, args, key: given.idempotencyKey, context: given.context });
  };
  const order = z.object({ order_id: z.string(), note: z.string().optional() });
  const getOrder = defineTool({
    name: 'get_order',
    description: 'Reads an order.',
    parameters: order,
    effect: 'none',
    execute: (args, given) => {
      record('get_order', args, given);
      return Promise.resolve({ order_id: args.order_id, cents: 1200 });
    },
  });
  const setNote = defineTool({
    name: 'set_note',
    description: 'Sets the note of an order.',
    parameters: order,
    execute: (args, given) => {
      record('set_note', args, given);
      return Promise.resolve(`noted ${args.order_id}`);
    },
  });
  const refundOrder = defineTool({
    name: 'refund_order',
    description: 'Refunds an order.',
    parameters: z.object({ order_id: z.string(), cents: z.number().int(), note: z.string().optional() }),
    effect: 'once',
    effectKey: ({ order_id }) => [order_id ?? null],
    onUnknown,
    lookup: () =>
      Promise.resolve(
        recording.lookup === 'done'
          ? { status: 'done' as const, output: 'found: refunded' }
          : { status: recording.lookup },
      ),
    execute: async (args, given) => {
      record('refund_order', args, given);
      await recording.gate;
      if (args.note === 'throw') throw new Error('the connection broke');
      if (args.note === 'refuse') throw new ToolError('This order cannot be refunded.', { effect: 'none' });
      return `refunded ${args.order_id}`;
    },
  });
  const breakDown = defineTool({
    name: 'break_down',
    description: 'Always throws.',
    parameters: z.object({}),
    activity: { retry: { maximumAttempts: 2, initialInterval: '10 milliseconds' } },
    execute: (args, given) => {
      record('break_down', args, given);
      return Promise.reject(new Error('no'));
    },
  });
  return Object.assign(recording, { tools: [getOrder, setNote, refundOrder, breakDown] });
}

export const echo = defineTool({
  name: 'echo',
  description: 'Says it again.',
  parameters: z.object({ text: z.string() }),
  effect: 'none',
  execute: ({ text }) => text,
});

export const call = (
  name: string,
  args: string | Record<string, unknown>,
): { name: string; arguments: string | Record<string, unknown> } => ({
  name,
  arguments: args,
});
