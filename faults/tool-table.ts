/** The tools of the fault runs: what each does to the world, and what tells its effects apart. */

export interface ToolTraits {
  readonly effect: 'none' | 'idempotent' | 'once';
  /** Its effect is named by `item` alone, however the rest is worded; else by all of its arguments. */
  readonly keyed: boolean;
  /** A re-created attempt is answered from what was found out before. */
  readonly reused: boolean;
  /** Of `once`: what becomes of a run where nobody knows whether it acted. */
  readonly unknown: 'end' | 'wait' | 'tell_model' | null;
  readonly lookup: boolean;
  /** Whose word it needs: somebody's who allows it, or the service's, which gives its output. */
  readonly people: 'approval' | 'external' | null;
}

const traits = (effect: ToolTraits['effect'], more: Partial<ToolTraits> = {}): ToolTraits => ({
  effect,
  keyed: false,
  reused: effect !== 'none',
  unknown: effect === 'once' ? 'end' : null,
  lookup: false,
  people: null,
  ...more,
});

export const TOOLS = {
  look_up: traits('none'),
  look_up_kept: traits('none', { reused: true }),
  put_note: traits('idempotent'),
  put_named: traits('idempotent', { keyed: true }),
  pay: traits('once'),
  pay_named: traits('once', { keyed: true, unknown: 'tell_model' }),
  pay_checked: traits('once', { keyed: true, lookup: true }),
  pay_asked: traits('once', { keyed: true, unknown: 'wait' }),
  pay_approved: traits('once', { people: 'approval' }),
  ask_service: traits('idempotent', { people: 'external' }),
} as const satisfies Readonly<Record<string, ToolTraits>>;

export type ToolName = keyof typeof TOOLS;
export const TOOL_NAMES = Object.keys(TOOLS) as readonly ToolName[];

/** Those that wait for nobody. */
export const LONELY_TOOLS: readonly ToolName[] = TOOL_NAMES.filter((name) => TOOLS[name].people === null);
export const PEOPLE_TOOLS: readonly ToolName[] = TOOL_NAMES.filter((name) => TOOLS[name].people !== null);

export const isToolName = (name: string): name is ToolName => Object.hasOwn(TOOLS, name);
export const traitsOf = (name: ToolName): ToolTraits => TOOLS[name];

/** Arguments of every tool. */
export interface ToolArguments {
  /** What it is done to. */
  readonly item: string;
  /** How the model words it. */
  readonly note: string;
  /** From its start to its effect. */
  readonly work_ms: number;
  /** From its effect to its answer. */
  readonly hold_ms: number;
}

/** The same in every word. */
export const isSame = (one: ToolArguments, other: ToolArguments): boolean =>
  (['item', 'note', 'work_ms', 'hold_ms'] as const).every((name) => one[name] === other[name]);

/** What tells one effect of a run from another, found without asking a driver. */
export function identityOf(tool: ToolName, args: ToolArguments): string {
  const { item, note, work_ms, hold_ms } = args;
  return JSON.stringify(traitsOf(tool).keyed ? [tool, item] : [tool, item, note, work_ms, hold_ms]);
}
