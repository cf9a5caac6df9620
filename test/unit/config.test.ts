import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { BackendFactory, DroverConfig } from '../../src/config.ts';
import { assistants } from '../../src/backends/assistants.ts';
import { ConfigError, isConfigError } from '../../src/config-error.ts';
import { loadConfig } from '../../src/load-config.ts';
import { defineTool } from '../../src/tools/define-tool.ts';

const local: BackendFactory = assistants({ baseURL: 'http://127.0.0.1:1/v1', apiKey: 'key-of-the-test' });
const echo = defineTool({
  name: 'echo',
  description: 'Says it again.',
  parameters: z.object({ text: z.string() }),
  execute: ({ text }) => text,
});

function mistakes(config: unknown): readonly string[] {
  try {
    loadConfig(config as DroverConfig);
  } catch (error) {
    if (isConfigError(error)) return error.issues.map(({ field, message }) => `${field}: ${message}`);
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  test('fills in every default of the smallest configuration', () => {
    const config = loadConfig({ backends: { local } });
    expect(config.taskQueue).toBe('drover');
    expect(config.defaultBackend).toBe('local');
    expect(config.backends.get('local')?.name).toBe('local');
    expect(config.assistants.size).toBe(0);
    expect(config.registry.names()).toEqual([]);
    expect(config).toMatchObject({ limits: {}, retry: {}, secrets: {}, worker: {}, metrics: {} });
    expect(config.dataConverter).toBeUndefined();
  });

  test('keeps what was said', () => {
    const payloadCodecs = [{ encode: async () => [], decode: async () => [] }];
    const config = loadConfig({
      taskQueue: 'runs',
      backends: { one: local, two: local },
      defaultBackend: 'two',
      assistants: { support: { backend: 'one', instructions: 'Be kind.', tools: ['echo'], temperature: 0 } },
      tools: [echo],
      limits: { deadline_seconds: 60, rounds: 2 },
      retry: { attempts: 5, expired: 'end' },
      secrets: { MCP: () => 'hidden' },
      dataConverter: { payloadCodecs },
      worker: { shutdownGraceTime: '5 seconds' },
      metrics: { prometheus: '0.0.0.0:9464' },
    });
    expect(config).toMatchObject({
      taskQueue: 'runs',
      defaultBackend: 'two',
      limits: { deadline_seconds: 60, rounds: 2 },
      retry: { attempts: 5, expired: 'end' },
      worker: { shutdownGraceTime: '5 seconds' },
      metrics: { prometheus: '0.0.0.0:9464' },
    });
    expect(config.assistants.get('support')).toMatchObject({ tools: ['echo'], temperature: 0 });
    expect(config.registry.names()).toEqual(['echo']);
    expect(config.dataConverter?.payloadCodecs).toBe(payloadCodecs);
  });

  test('is frozen, and does not follow later changes of what it was made from', () => {
    const source = {
      backends: { local },
      limits: { rounds: 2 },
      assistants: { a: { tools: ['echo'] } },
      tools: [echo],
    };
    const config = loadConfig(source);
    source.limits.rounds = 99;
    source.assistants.a.tools.push('other');
    expect(config.limits.rounds).toBe(2);
    expect(config.assistants.get('a')?.tools).toEqual(['echo']);
    for (const part of [config, config.limits, config.retry, config.assistants.get('a'), config.secrets]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  test('reports every mistake at once, by field', () => {
    const found = mistakes({
      tasqQueue: 'x',
      taskQueue: '__temporal_mine',
      backends: {
        ok: local,
        'bad name': local,
        noFactory: {},
        throws: () => {
          throw new Error('no base URL');
        },
        odd: () => ({}),
      },
      defaultBackend: 'nope',
      assistants: { a: { backend: 'gone', tools: ['ecko'], temperature: 3, context: {} }, b: 'text' },
      tools: [echo],
      limits: { rounds: 0, deadline: '1 hour' },
      retry: { attempts: -1 },
      secrets: { MCP: 7 },
      dataConverter: { payloadCodecs: [{}] },
      worker: { taskQueue: 'x', connection: {} },
      metrics: { prometheus: '9464' },
    });
    const fields = found.map((line) => line.split(': ', 1)[0]);
    expect(fields).toEqual(
      expect.arrayContaining([
        'tasqQueue',
        'taskQueue',
        'backends.bad name',
        'backends.noFactory',
        'backends.throws',
        'backends.odd',
        'defaultBackend',
        'assistants.a.backend',
        'assistants.a.tools[0]',
        'assistants.a.temperature',
        'assistants.a.context',
        'assistants.b',
        'limits.rounds',
        'limits',
        'retry.attempts',
        'secrets.MCP',
        'dataConverter.payloadCodecs.0',
        'worker.taskQueue',
        'worker.connection',
        'metrics.prometheus',
      ]),
    );
    expect(found).toContainEqual(expect.stringMatching(/^tasqQueue: .*did you mean taskQueue\?/));
    expect(found).toContainEqual(expect.stringMatching(/^assistants\.a\.tools\[0\]: .*did you mean echo\?/));
    expect(found).toContainEqual(expect.stringMatching(/^backends\.throws: could not be built: no base URL/));
  });

  test('wants a default where there are several backends', () => {
    expect(mistakes({ backends: { one: local, two: local } })).toEqual([
      'defaultBackend: is needed: choose one of one, two',
    ]);
  });

  test.each([undefined, {}, [], 'openai'])(
    'wants a backend and says how to write one, given %j',
    (backends) => {
      expect(mistakes({ backends })).toContainEqual(
        expect.stringMatching(/^backends: needs at least one backend/),
      );
    },
  );

  test('passes on every mistake of the tools, under their field', () => {
    const nameless = defineTool({ ...echo, name: 'has spaces' });
    const found = mistakes({
      backends: { local },
      tools: [echo, echo, nameless],
      assistants: { a: { tools: ['gone'] } },
    });
    expect(found.length).toBeGreaterThanOrEqual(2);
    expect(found.every((line) => line.startsWith('tools'))).toBe(true);
  });

  test.each([null, 'config', 7, []])('refuses %j as a whole', (config) => {
    expect(() => loadConfig(config as unknown as DroverConfig)).toThrow(ConfigError);
  });

  test('refuses an assistant that goes round in circles, and one that cannot be read', () => {
    const circle: Record<string, unknown> = { model: 'm' };
    circle['response_format'] = circle;
    const broken = Object.defineProperty({}, 'model', {
      enumerable: true,
      get: () => {
        throw new Error('MODEL is not set\n    at somewhere');
      },
    });
    expect(mistakes({ backends: { local }, assistants: { circle, broken, odd: { limits: 7 } } })).toEqual([
      'assistants.circle.response_format.response_format: holds itself: break the cycle',
      'assistants.circle.response_format.type: is missing: it must be text',
      'assistants.broken: could not be read: MODEL is not set',
      'assistants.odd.limits: must be an object',
    ]);
  });

  test('refuses what throws when it is read', () => {
    const broken = Object.defineProperty({}, 'MCP', {
      enumerable: true,
      get: () => {
        throw new Error('MCP is not set');
      },
    });
    const found = mistakes({ backends: { local }, secrets: broken, assistants: 7 });
    expect(found).toEqual([
      'config: could not be read: MCP is not set',
      'assistants: must be an object of assistants by name',
    ]);
  });

  test('shows no more mistakes than can be read', () => {
    const fields = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`field_${index}`, 1]));
    expect(() => loadConfig({ backends: { local }, ...fields })).toThrow(/has 200 mistakes[^]*and 150 more/);
  });

  test('shows no secret in its message', () => {
    const secret = 'sk-live-0123456789abcdef';
    const build = (): void =>
      void loadConfig({
        backends: { local },
        secrets: { MCP: secret, OTHER: 7 as unknown as string },
        assistants: { a: { tools: [{ type: 'mcp', headers: { authorization: secret } }] } },
        limits: { rounds: -1 },
      });
    expect(build).toThrow(/limits\.rounds/);
    expect(build).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) as string }),
    );
  });
});
