/** The shapes that a run can have: every way through the workflow, each as one run. */
import type { Shape } from './shape.ts';
import { ANSWERED } from './shapes-answered.ts';
import { EFFECTS } from './shapes-effects.ts';
import { ENDED_BY_CODE } from './shapes-ended.ts';
import { PEOPLE } from './shapes-people.ts';
import { RETRIED } from './shapes-retried.ts';
import { STOPPED } from './shapes-stopped.ts';
import { TURNS } from './shapes-turns.ts';

export const SHAPES: readonly Shape[] = [
  ...ANSWERED,
  ...RETRIED,
  ...EFFECTS,
  ...STOPPED,
  ...ENDED_BY_CODE,
  ...PEOPLE,
  ...TURNS,
];
