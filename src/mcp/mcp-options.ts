/** What `mcpTools` is given: a server, and what its tools may do. */
import type { Duration } from '@temporalio/common';
import type { DecisionLimit, Effect, OnUnknown } from '../tools/define-tool.ts';

/** A server that is started as a process and spoken to by its standard streams. */
export interface McpCommand {
  readonly command: string;
  readonly args?: readonly string[];
  /** Beside the few variables that the SDK passes on (`PATH`, `HOME` and the like). */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A server that is spoken to by streamable HTTP. */
export interface McpUrl {
  readonly url: string;
  /** Sent with each request: credentials. They stay in the worker. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A name, or a pattern in which `*` stands for anything. */
export type NamePattern = string;

export interface McpTraits {
  /** Which tools are brought in, by the server's own names. @default all */
  readonly tools?: readonly NamePattern[];
  /** Put before each name, so that two servers' tools differ. @default none */
  readonly prefix?: string;
  /**
   * Effect classes by name; the first pattern that fits counts.
   * @default 'once': nobody knows better what a stranger's tool does
   */
  readonly effect?: Readonly<Record<NamePattern, Effect>>;
  /**
   * Believes what the server says of its own tools, where no pattern fits: `readOnlyHint` is `none`, `idempotentHint`
   * is `idempotent`. Only for servers that you trust. @default false
   */
  readonly trustHints?: boolean;
  /** Tools whose calls somebody has to allow. @default none */
  readonly needsApproval?: boolean | readonly NamePattern[];
  readonly decision?: DecisionLimit;
  /** For `once`. @default 'end' */
  readonly onUnknown?: OnUnknown;
  /** How long a call may take. @default '2 minutes' */
  readonly timeout?: Duration;
}

export type McpToolsOptions = (McpCommand | McpUrl) & McpTraits;

const escape = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

/** Whether a name fits a pattern. */
export function fits(name: string, pattern: NamePattern): boolean {
  const source = pattern.split('*').map(escape).join('.*');
  return new RegExp(`^${source}$`, 's').test(name);
}

/** What a server says of one of its tools, none of which has to be so. */
export interface McpHints {
  readonly readOnlyHint?: boolean | undefined;
  readonly idempotentHint?: boolean | undefined;
}

export function effectOf(
  name: string,
  hints: McpHints | undefined,
  { effect = {}, trustHints }: McpTraits,
): Effect {
  const [, said] = Object.entries(effect).find(([pattern]) => fits(name, pattern)) ?? [];
  if (said !== undefined) return said;
  if (trustHints === true && hints?.readOnlyHint === true) return 'none';
  return trustHints === true && hints?.idempotentHint === true ? 'idempotent' : 'once';
}

export function approvalOf(name: string, { needsApproval = false }: McpTraits): boolean {
  return typeof needsApproval === 'boolean'
    ? needsApproval
    : needsApproval.some((pattern) => fits(name, pattern));
}

interface Described {
  readonly name: string;
  readonly description?: string | undefined;
  readonly annotations?: { readonly title?: string | undefined } | undefined;
}

/** What the model chooses a tool by. Servers leave a description empty as well as out. */
export const descriptionOf = ({ name, description = '', annotations }: Described): string =>
  [description, annotations?.title ?? ''].map((text) => text.trim()).find((text) => text !== '') ?? name;
