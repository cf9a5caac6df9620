/** What `npm run faults` can be told. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

export const DRIVERS = ['drover', 'textbook'] as const;
export type DriverName = (typeof DRIVERS)[number];

export interface Options {
  readonly runs: number;
  readonly seed: number;
  /** For how long runs are started and faults made; what is under way then is given time to end. */
  readonly minutes: number;
  /** Where the report is written. */
  readonly json: string | null;
  readonly driver: DriverName;
  readonly faults: boolean;
}

export const USAGE = `npm run faults -- [options]

Starts runs of random shape, and makes faults while they run: workers killed, stopped and resumed, the Temporal
server killed and restarted, activities paused and reset, answers of the provider lost and late. Then it judges from
the journals whether a run was lost or a thing done twice. Exits 0 where nothing was, 1 where something was.

  --runs N        how many runs are started            (default 100)
  --seed S        what the shapes and faults come from (default: a new one, which is printed)
  --minutes M     for how long faults are made         (default: 3)
  --json FILE     writes the report there
  --driver NAME   ${DRIVERS.join(' or ')}                   (default drover)
  --no-faults     only starts the runs
  --help          prints this

The journals are kept where something was found, and always where FAULTS_KEEP is set;
npm run faults:again -- FOLDER judges them again.`;

/** Options that cannot be followed. The message names every mistake. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}

type Raw = Readonly<Record<string, string | boolean | undefined>>;

const KNOWN = {
  runs: { type: 'string' },
  seed: { type: 'string' },
  minutes: { type: 'string' },
  json: { type: 'string' },
  driver: { type: 'string' },
  'no-faults': { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** Node's parser tells only of its first mistake: unknown options are looked for here. */
function readRaw(argv: readonly string[]): { readonly raw: Raw; readonly mistakes: readonly string[] } {
  const { values, tokens, positionals } = parseArgs({
    args: [...argv],
    options: KNOWN,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const wrong = tokens.flatMap((token): readonly string[] => {
    if (token.kind !== 'option') return [];
    const type = (KNOWN as Readonly<Record<string, { readonly type: string } | undefined>>)[token.name]?.type;
    if (type === undefined) return [`${token.rawName} is no option`];
    if (type === 'boolean')
      return token.value === undefined ? [] : [`${token.rawName} takes no value, not '${token.value}'`];
    const isNextOption = token.inlineValue === false && token.value.startsWith('--');
    return isNextOption ? [`${token.rawName} takes a value, and ${token.value} follows`] : [];
  });
  const loose = positionals.map((text) => `${text} belongs to no option`);
  return { raw: values, mistakes: [...wrong, ...loose] };
}

/** @returns null where the usage is asked for. @throws {OptionsError} */
export function readOptions(argv: readonly string[], newSeed: () => number): Options | null {
  const { raw, mistakes: first } = readRaw(argv);
  if (raw['help'] === true) return null;
  const mistakes = [...first];
  const number = (name: string, fallback: number, fits: (n: number) => boolean, wanted: string): number => {
    const given = raw[name];
    if (given === undefined) return fallback;
    const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : Number.NaN;
    if (Number.isFinite(value) && fits(value)) return value;
    mistakes.push(`--${name} takes ${wanted}, not ${typeof given === 'string' ? `'${given}'` : 'nothing'}`);
    return fallback;
  };
  const whole = (n: number): boolean => Number.isSafeInteger(n);
  const runs = number(
    'runs',
    100,
    (n) => whole(n) && n >= 1 && n <= 20_000,
    'a whole number from 1 to 20000',
  );
  const seed = number(
    'seed',
    newSeed(),
    (n) => whole(n) && Math.abs(n) <= 0x7fffffff,
    'a whole number of 31 bits',
  );
  const minutes = number('minutes', 3, (n) => n > 0 && n <= 240, 'a number of minutes up to 240');
  const driver = DRIVERS.find((name) => name === (raw['driver'] ?? 'drover'));
  if (driver === undefined) mistakes.push(`--driver is one of ${DRIVERS.join(', ')}`);
  const json = raw['json'] ?? null;
  if (json === true || json === '') mistakes.push('--json takes the name of a file');
  else if (typeof json === 'string' && !existsSync(dirname(json)))
    mistakes.push(`--json: there is no folder ${dirname(json)}`);
  if (mistakes.length > 0) throw new OptionsError(`${mistakes.join('; ')}. See --help.`);
  return {
    runs,
    seed,
    minutes,
    json: typeof json === 'string' ? json : null,
    driver: driver ?? 'drover',
    faults: raw['no-faults'] !== true,
  };
}
