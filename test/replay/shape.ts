/** What a shape of a run is, and what shapes are made of. */
import type { Client } from '@temporalio/client';
import type { RunHandle } from '../../src/client.ts';
import type { RunRequest } from '../../src/contract.ts';
import type { Script, Step } from '../../src/emulator/index.ts';
import type { EndCode } from '../../src/failures.ts';
import type { Drive, DriveOptions, Wire } from '../support/drive-harness.ts';
import { call, type Recording } from '../support/recording-tools.ts';

export interface Stage {
  readonly wire: Wire;
  readonly drive: Drive;
  readonly shop: Recording;
}

/** A run that has ended, and the client that can read its history. */
export interface Driven {
  readonly handle: RunHandle;
  readonly client: Client;
  readonly code: EndCode | null;
}

export interface Shape {
  readonly name: string;
  readonly wires: readonly Wire[];
  readonly script: Script;
  readonly request?: Partial<RunRequest>;
  readonly options?: DriveOptions;
  /** What `refund_order` wants where its outcome is unknown. @default 'end' */
  readonly onUnknown?: 'end' | 'wait' | 'tell_model';
  /** Before the run starts: faults, gates. */
  readonly prepare?: (stage: Stage) => void;
  /** Does to the running run what makes this shape. @default nothing */
  readonly act?: (handle: RunHandle, stage: Stage) => Promise<unknown>;
  /** Starts the run in a way of its own, and waits for its end. @default by the drive's client */
  readonly drive?: (stage: Stage) => Promise<Driven>;
  readonly ends: EndCode | null;
  /** Activity types and event types that the history must hold: else the run did not take this shape. */
  readonly shows?: readonly string[];
  /** Those that it must not hold. */
  readonly lacks?: readonly string[];
}

export const BOTH: readonly Wire[] = ['assistants', 'responses'];
export const once = (...steps: readonly Step[]): Script => ({ attempts: [{ steps }] });
export const each = (...attempts: readonly (readonly Step[])[]): Script => ({
  attempts: attempts.map((steps) => ({ steps })),
});

export const refund = (note?: string): Step => ({
  call: [call('refund_order', { order_id: '7', cents: 100, ...(note === undefined ? {} : { note }) })],
});
export const note: Step = { call: [call('set_note', { order_id: '7' })] };
export const answer: Step = { answer: '{{outputs}}' };

export const becomes = ({ drive }: Stage, to: string) =>
  drive.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === to);

export const CREATE = { method: 'POST', path: '/\\/(?:runs|responses)$/' } as const;
/** On the Responses wire a submit is the second create. */
export const submit = (wire: Wire) =>
  wire === 'assistants'
    ? ({ method: 'POST', path: 'submit_tool_outputs', nth: 1 } as const)
    : ({ ...CREATE, nth: 2 } as const);

export const created = 'drover.createRun';
export const cancelled = 'drover.cancelRun';
export const quick = { retry: { backoff_seconds: 0.1 } };
