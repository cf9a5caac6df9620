import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { Backend, Capabilities } from '../../src/backends/backend.ts';
import type { AssistantConfig, LoadedConfig, SecretSource } from '../../src/config.ts';
import type { Issue, RunRequest } from '../../src/contract.ts';
import { InvalidRequestError, isInvalidRequestError, RunRefusedError } from '../../src/errors.ts';
import { resolveRun } from '../../src/resolve-run.ts';
import type { Resolved, ResolveOptions } from '../../src/resolve-run.ts';
import type { JsonObject } from '../../src/run.ts';
import { defineTool } from '../../src/tools/define-tool.ts';
import { createRegistry } from '../../src/tools/registry.ts';

const getOrder = defineTool({
  name: 'get_order',
  description: 'Looks an order up.',
  parameters: z.object({ order_id: z.string() }),
  context: z.object({ tenant_id: z.string() }),
  execute: () => 'shipped',
});
const ping = defineTool({
  name: 'ping',
  description: 'Answers.',
  parameters: z.object({}),
  execute: () => 'pong',
});

function fakeBackend(name: string, traits: Partial<Capabilities>, issues: readonly Issue[] = []): Backend {
  const capabilities: Capabilities = {
    findByKey: false,
    thread: 'optional',
    resume: false,
    ownAssistants: false,
    stored: true,
    ...traits,
  };
  return { name, wire: 'responses', capabilities, check: () => issues } as unknown as Backend;
}

const plain = fakeBackend('plain', {});
const hosted = fakeBackend('hosted', { ownAssistants: true });

function configOf(
  parts: {
    assistants?: Record<string, AssistantConfig>;
    secrets?: SecretSource;
    backends?: readonly Backend[];
  } = {},
): LoadedConfig {
  return {
    taskQueue: 'drover',
    backends: new Map((parts.backends ?? [plain, hosted]).map((backend) => [backend.name, backend])),
    defaultBackend: 'plain',
    assistants: new Map(Object.entries(parts.assistants ?? { support: { model: 'small' } })),
    registry: createRegistry([getOrder, ping]),
    limits: {},
    retry: {},
    secrets: parts.secrets ?? {},
    ceilings: {},
    price: undefined,
    authorizeDecision: undefined,
    dataConverter: undefined,
    worker: {},
    metrics: {},
  };
}

const base: RunRequest = { assistant_id: 'support', input: 'Hello', context: { tenant_id: 'acme' } };

function resolve(
  request: Partial<RunRequest>,
  parts: Parameters<typeof configOf>[0] = {},
  more: Partial<ResolveOptions> = {},
): Promise<Resolved> {
  return resolveRun({
    request: { ...base, ...request },
    config: configOf(parts),
    runId: 'ticket-77',
    key: 'first/1',
    overrides: {},
    ...more,
  });
}

async function issuesOf(promise: Promise<unknown>): Promise<readonly Issue[]> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(InvalidRequestError);
  return isInvalidRequestError(error) ? error.issues : [];
}

describe('the assistant of the configuration', () => {
  const assistant: AssistantConfig = {
    backend: 'hosted',
    model: 'small',
    instructions: 'Be brief.',
    tools: ['ping'],
    temperature: 0.5,
    max_completion_tokens: 1_000,
    provider_assistant_id: 'asst_9',
  };

  it('fills in what the request leaves out or says is null', async () => {
    const { run, backend, allowed } = await resolve(
      { model: null, temperature: 0 },
      { assistants: { support: assistant } },
    );
    expect(backend.name).toBe('hosted');
    expect(run).toMatchObject({
      assistant_id: 'asst_9',
      model: 'small',
      instructions: 'Be brief.',
      temperature: 0,
      max_completion_tokens: 1_000,
    });
    expect([...(allowed ?? [])]).toEqual(['ping']);
  });

  it('is not heard where the request speaks', async () => {
    const { run, backend, allowed } = await resolve(
      { backend: 'plain', model: 'large', tools: [] },
      { assistants: { support: assistant } },
    );
    expect(backend.name).toBe('plain');
    expect(run).toMatchObject({ assistant_id: 'support', model: 'large', tools: [] });
    expect(allowed).toEqual(new Set());
  });

  it('that nobody knows ends the run, on a wire without its own', async () => {
    await expect(resolve({ assistant_id: 'nobody' })).rejects.toMatchObject({
      name: 'RunRefusedError',
      code: 'unknown_assistant',
      message: expect.stringMatching(/nobody.*plain/),
    });
  });

  it('may be a mere label where the request says a model', async () => {
    const { run } = await resolve({ assistant_id: 'nobody', model: 'large' });
    expect(run).toMatchObject({ assistant_id: 'nobody', model: 'large' });
  });

  it("is the provider's on a wire with its own", async () => {
    const { run } = await resolve({ assistant_id: 'asst_1', backend: 'hosted' });
    expect(run.assistant_id).toBe('asst_1');
    expect(run).not.toHaveProperty('model');
  });

  it.each(['__proto__', 'constructor', 'toString'])(
    'is never a property that every object has: %s',
    async (name) => {
      await expect(resolve({ assistant_id: name })).rejects.toBeInstanceOf(RunRefusedError);
    },
  );
});

it('a backend that the worker lacks ends the run, and the message names those it has', async () => {
  await expect(resolve({ backend: 'other' })).rejects.toMatchObject({
    code: 'unknown_backend',
    message: expect.stringMatching(/other.*plain, hosted/),
  });
});

describe('tools', () => {
  it('by name become the definitions of the registry, objects stay as they are', async () => {
    const own: JsonObject = { type: 'function', function: { name: 'elsewhere' } };
    const search: JsonObject = { type: 'file_search' };
    const { run, allowed } = await resolve({ tools: ['get_order', own, search] });
    expect(run.tools).toEqual([configOf().registry.definition('get_order'), own, search]);
    expect([...(allowed ?? [])]).toEqual(['get_order', 'elsewhere']);
  });

  it('that nobody listed may not be called: none here, those of the provider on a wire with its own assistants', async () => {
    expect((await resolve({})).allowed).toEqual(new Set());
    expect((await resolve({ backend: 'hosted' })).allowed).toBeNull();
  });

  it('that are not registered are issues, all of them, and so are unknown secrets', async () => {
    const mcp: JsonObject = { type: 'mcp', server_label: 'crm', authorization: { secret: 'CRM' } };
    const issues = await issuesOf(resolve({ tools: ['other', 'ping', 'another', mcp] }));
    expect(issues.map(({ field }) => field)).toEqual(['tools.0', 'tools.2', 'tools.3']);
    expect(issues[2]?.message).toContain('CRM');
  });

  it("of an assistant that are not registered are told by the assistant's name", async () => {
    const issues = await issuesOf(resolve({}, { assistants: { support: { tools: ['other'] } } }));
    expect(issues.map(({ field }) => field)).toEqual(['assistants.support.tools.0']);
  });

  it('whose context schema the context does not fit are issues without its values', async () => {
    const issues = await issuesOf(resolve({ tools: ['get_order'], context: { tenant_id: 4_711 } }));
    expect(issues.map(({ field }) => field)).toEqual(['context.tenant_id']);
    expect(JSON.stringify(issues)).toContain('get_order');
    expect(JSON.stringify(issues)).not.toContain('4711');
  });
});

describe('secrets', () => {
  const tools: readonly JsonObject[] = [
    {
      type: 'mcp',
      server_label: 'crm',
      headers: { Authorization: { secret: 'CRM' }, 'X-Keys': [{ secret: 'OTHER' }] },
    },
  ];

  it('are looked up at each resolution, so that they can be rotated', async () => {
    let turn = 0;
    const secrets: SecretSource = { CRM: () => Promise.resolve(`key-${++turn}`), OTHER: 'plain' };
    const first = await resolve({ tools }, { secrets });
    const second = await resolve({ tools }, { secrets });
    expect(first.run.tools?.[0]).toMatchObject({ headers: { Authorization: 'key-1', 'X-Keys': ['plain'] } });
    expect(second.run.tools?.[0]).toMatchObject({ headers: { Authorization: 'key-2' } });
  });

  it('are missing where their text is empty or only a property that every object has', async () => {
    const named = (name: string): readonly JsonObject[] => [{ type: 'mcp', authorization: { secret: name } }];
    for (const name of ['EMPTY', 'constructor', 'toString']) {
      const issues = await issuesOf(resolve({ tools: named(name) }, { secrets: { EMPTY: '' } }));
      expect(issues).toHaveLength(1);
    }
  });

  it('whose source throws are worth another try, and its words are withheld', async () => {
    const secrets: SecretSource = {
      CRM: () => {
        throw new Error('vault said hunter2');
      },
      OTHER: 'x',
    };
    const error: unknown = await resolve({ tools }, { secrets }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'SecretSourceError', message: expect.stringContaining('CRM') });
    expect(String((error as Error).stack)).not.toContain('hunter2');
    expect(error).not.toHaveProperty('cause');
  });

  it('whose source never answers are worth another try, too', async () => {
    const over = new AbortController();
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(over.signal);
    const secrets: SecretSource = { CRM: () => new Promise(() => undefined), OTHER: 'x' };
    const failed = resolve({ tools }, { secrets }).catch((thrown: unknown) => thrown);
    await vi.waitFor(() => expect(timeout).toHaveBeenCalledWith(30_000));
    over.abort();
    expect(await failed).toMatchObject({ name: 'SecretSourceError' });
    timeout.mockRestore();
  });

  it('are not put into the definition of a function, which the model reads', async () => {
    const tool: JsonObject = {
      type: 'function',
      function: { name: 'f', parameters: { type: 'object', default: { secret: 'CRM' } } },
    };
    const { run } = await resolve({ tools: [tool] }, { secrets: { CRM: 'hunter2' } });
    expect(run.tools).toEqual([tool]);
  });
});

describe('what the backend is asked for', () => {
  it("has the service's metadata and Drover's two pairs", async () => {
    const { run } = await resolve({ metadata: { ticket: '77' } });
    expect(run.metadata).toEqual({ ticket: '77', drover_run: 'ticket-77', drover_key: 'first/1' });
  });

  it('has input first, then additional_messages', async () => {
    const more = [{ role: 'assistant', content: 'Hi' }] as const;
    expect((await resolve({ additional_messages: more })).run.messages).toEqual([
      { role: 'user', content: 'Hello' },
      ...more,
    ]);
    expect((await resolve({ input: more, additional_messages: null })).run.messages).toEqual(more);
  });

  it('has what this attempt changes instead of what the request said', async () => {
    const overrides = { max_completion_tokens: 8_000, truncation_strategy: { type: 'auto' } };
    const { run } = await resolve({ max_completion_tokens: 1_000, top_p: 0.5 }, {}, { overrides });
    expect(run).toMatchObject({ ...overrides, top_p: 0.5 });
  });

  it('has no property for what nobody said', async () => {
    expect(Object.keys((await resolve({})).run).sort()).toEqual(
      ['assistant_id', 'key', 'messages', 'metadata', 'model', 'run_id'].sort(),
    );
  });

  it('never has the context', async () => {
    expect(JSON.stringify((await resolve({})).run)).not.toContain('acme');
  });
});

describe('what is refused', () => {
  const strict = fakeBackend('plain', {}, [{ field: 'top_p', message: 'is not of this wire' }]);

  it('is what the wire cannot carry, together with all else', async () => {
    const issues = await issuesOf(resolve({ tools: ['other'] }, { backends: [strict] }));
    expect(issues.map(({ field }) => field)).toEqual(['tools.0', 'top_p']);
  });

  it('is a request that was never checked, as other languages may send it', async () => {
    const issues = await issuesOf(resolve({ temperature: 9 }));
    expect(issues.map(({ field }) => field)).toEqual(['temperature']);
  });

  it('is not a request that was checked when its run began', async () => {
    const { run } = await resolve({ temperature: 9 }, {}, { checked: true });
    expect(run.temperature).toBe(9);
  });

  it('is a workflow id that no metadata value can hold', async () => {
    const issues = await issuesOf(resolve({}, {}, { runId: 'x'.repeat(513) }));
    expect(issues.map(({ field }) => field)).toEqual(['id']);
  });
});
