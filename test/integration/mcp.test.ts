/** Tools of the reference MCP server, by its standard streams and by HTTP, in runs on a real Temporal server. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfigFile } from '../../src/config-file.ts';
import { isConfigError } from '../../src/config-error.ts';
import { findFreePorts } from '../../src/dev/ports.ts';
import { mcpTools, type McpTools, type McpTraits } from '../../src/mcp.ts';
import { createRegistry } from '../../src/tools/registry.ts';
import { startDrive, type Drive } from '../support/drive-harness.ts';
import { startMcpHttpServer, type McpHttpServer } from '../support/mcp-http-server.ts';
import { startProgram, type Program } from '../support/processes.ts';
import { call } from '../support/recording-tools.ts';

const SERVER = createRequire(import.meta.url)
  .resolve('@modelcontextprotocol/server-everything/package.json')
  .replace(/package\.json$/, 'dist/index.js');

const ODD_SERVER = fileURLToPath(new URL('../support/mcp-odd-server.ts', import.meta.url));

const open: { readonly tools: McpTools; readonly drive: Drive }[] = [];
afterEach(async () => {
  for (const { tools, drive } of open.splice(0)) {
    await drive[Symbol.asyncDispose]();
    await tools.close();
  }
});

async function driveWith(tools: McpTools): Promise<Drive> {
  const drive = await startDrive('responses', { tools });
  open.push({ tools, drive });
  return drive;
}

const byStreams = (traits: McpTraits = {}): Promise<McpTools> =>
  mcpTools({ command: process.execPath, args: [SERVER, 'stdio'], ...traits });

async function startServer(port: number): Promise<Program> {
  const program = startProgram([process.execPath, SERVER, 'streamableHttp'], { env: { PORT: String(port) } });
  const answers = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/mcp`).then(
      () => true,
      () => false,
    );
  await expect.poll(answers, { timeout: 20_000 }).toBe(true);
  return program;
}

const asks = (...calls: ReturnType<typeof call>[]) => ({
  attempts: [{ steps: [...calls.map((one) => ({ call: [one] })), { answer: '{{outputs}}' }] }],
});

const longCall = call('trigger-long-running-operation', { duration: 30, steps: 30 });

describe('tools of an MCP server', () => {
  test('are like any other: sent with their schema, checked, run, answered', async () => {
    const drive = await driveWith(await byStreams({ tools: ['echo', 'get-*'], effect: { '*': 'none' } }));
    drive.play(
      'bot',
      asks(
        call('echo', { message: 'Hello' }),
        call('get-sum', { a: 2, b: 'x' }),
        call('get-sum', { a: 2, b: 3 }),
      ),
    );
    const result = await drive.runs.execute({ assistant_id: 'bot', input: 'Go' }, { id: drive.id('mcp') });
    expect(result.tool_calls).toMatchObject([
      { status: 'completed', output: 'Echo: Hello' },
      { status: 'bad_arguments' },
      { status: 'completed', output: expect.stringContaining('5') },
    ]);
    const [create] = drive.emulator
      .journal()
      .filter((entry) => entry.kind === 'request' && entry.path.endsWith('/responses'));
    const { tools } = (
      create as { readonly body: { readonly tools: readonly { name: string; parameters: object }[] } }
    ).body;
    expect(tools.map(({ name }) => name)).not.toContain('trigger-long-running-operation');
    expect(tools.find(({ name }) => name === 'get-sum')?.parameters).toMatchObject({
      type: 'object',
      properties: { a: { type: 'number' }, b: { type: 'number' } },
    });
  });

  test('wait for an approval where a pattern says so, and bear a prefix', async () => {
    const drive = await driveWith(
      await byStreams({ tools: ['echo'], prefix: 'demo_', needsApproval: ['echo'] }),
    );
    drive.play('bot', asks(call('demo_echo', { message: 'Hello' })));
    const run = await drive.runs.start(
      { assistant_id: 'bot', input: 'Go' },
      { id: drive.id('mcp-approval') },
    );
    await expect.poll(async () => (await run.waiting()).length, { timeout: 15_000 }).toBe(1);
    const [waiting] = await run.waiting();
    await run.approve(waiting!, { by: 'maria' });
    expect((await run.result()).tool_calls).toMatchObject([
      { output: 'Echo: Hello', decision: { by: 'maria' } },
    ]);
  });

  test('are there again with the next call, where their server was restarted', async () => {
    const [port = 0] = await findFreePorts(1);
    const first = await startServer(port);
    const tools = await mcpTools({
      url: `http://127.0.0.1:${port}/mcp`,
      headers: { 'x-key': 'k' },
      tools: ['echo'],
    });
    const drive = await driveWith(tools);
    drive.play('bot', asks(call('echo', { message: 'Hello' })));
    const say = async (label: string) =>
      (await drive.runs.execute({ assistant_id: 'bot', input: 'Go' }, { id: drive.id(label) })).tool_calls[0]
        ?.output;
    expect(await say('before')).toBe('Echo: Hello');
    first.child.kill('SIGKILL');
    await first.ended;
    expect(await say('down')).toContain('cannot be reached now. Nothing was done.');
    await startServer(port);
    expect(await say('after')).toBe('Echo: Hello');
  });

  test('that act once end the run by an unknown effect, where their server dies in a call', async () => {
    const [port = 0] = await findFreePorts(1);
    const server = await startServer(port);
    const drive = await driveWith(
      await mcpTools({ url: `http://127.0.0.1:${port}/mcp`, tools: ['trigger-*'] }),
    );
    drive.play('bot', asks(longCall));
    const run = await drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id: drive.id('dies') });
    await expect.poll(async () => (await run.progress()).pending_calls.length, { timeout: 15_000 }).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    server.child.kill('SIGKILL');
    expect((await run.outcome()).code).toBe('effect_unknown');
  });

  describe('of a server that acts and then breaks', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'drover-mcp-'));
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));
    const odd = (): Promise<McpTools> =>
      mcpTools({ command: process.execPath, args: [ODD_SERVER, join(folder, 'acts')] });
    const acts = async (): Promise<readonly string[]> =>
      (await readFile(join(folder, 'acts'), 'utf8')).trimEnd().split('\n');

    test('an answer whose structure is not as it said is an answer: it has acted', async () => {
      const drive = await driveWith(await odd());
      drive.play('bot', asks(call('otherwise', {})));
      const result = await drive.runs.execute({ assistant_id: 'bot', input: 'Go' }, { id: drive.id('odd') });
      expect(result.tool_calls).toMatchObject([{ status: 'completed', output: 'done' }]);
      expect(await acts()).toEqual(['otherwise']);
    });

    test('a refusal of its parameters is no word that a call that acts once did nothing', async () => {
      const drive = await driveWith(await odd());
      drive.play('bot', asks(call('refuses', {})));
      const run = await drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id: drive.id('refuses') });
      expect((await run.outcome()).code).toBe('effect_unknown');
      expect(await acts()).toEqual(['refuses']);
    });

    test('a call that is cancelled, or refused, leaves those of other runs alone', async () => {
      const drive = await driveWith(await odd());
      drive.play('bot', asks(call('waits', { ms: 60_000 })));
      const long = await drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id: drive.id('long') });
      await expect.poll(acts, { timeout: 15_000 }).toEqual(['waits']);
      drive.play('bot', asks(call('waits', { ms: 4_000 })));
      const other = await drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id: drive.id('other') });
      await expect.poll(acts, { timeout: 15_000 }).toEqual(['waits', 'waits']);
      drive.play('bot', asks(call('refuses', {})));
      const refused = await drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id: drive.id('third') });
      await long.cancel();
      expect((await long.outcome()).code).toBe('cancelled');
      expect((await refused.outcome()).code).toBe('effect_unknown');
      expect((await other.result()).tool_calls).toMatchObject([{ status: 'completed', output: 'done' }]);
    });

    test('a server that refuses a ping is there: calls of other runs are not given up', async () => {
      const drive = await driveWith(await odd());
      drive.play('bot', asks(call('outlasts', {})));
      const other = await drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id: drive.id('lasts') });
      await expect.poll(acts, { timeout: 15_000 }).toEqual(['outlasts']);
      drive.play('bot', asks(call('mutters', {})));
      const muttering = await drive.runs.execute(
        { assistant_id: 'bot', input: 'Go' },
        { id: drive.id('mutters') },
      );
      expect(muttering.tool_calls).toMatchObject([{ status: 'completed', output: 'done' }]);
      expect((await other.result()).tool_calls).toMatchObject([{ status: 'completed', output: 'done' }]);
    });
  });

  describe('of a server that does not take calls', () => {
    let server: McpHttpServer;
    let drive: Drive;
    beforeEach(async () => {
      server = await startMcpHttpServer();
      drive = await driveWith(await mcpTools({ url: server.url }));
    });
    afterEach(() => server.close());
    const start = (label: string, tool: string) => {
      drive.play('bot', asks(call(tool, {})));
      return drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id: drive.id(label) });
    };

    test('a call on a session that is over is made on a new one, even where it acts once', async () => {
      server.forget();
      const result = await (await start('over', 'act')).result();
      expect(result.tool_calls).toMatchObject([{ status: 'completed', output: 'done' }]);
      expect(server.acts).toEqual(['act']);
      expect(server.sessions()).toBe(2);
    });

    test.each([
      [400, 'did not accept the call. Nothing was done.'],
      [401, 'refused the credentials that this worker has for it. Nothing was done.'],
      [404, 'cannot be reached now. Nothing was done.'],
      [429, 'takes no more calls now. Nothing was done.'],
    ])('a call that is refused by %i did nothing, and the model reads why', async (status, said) => {
      server.refuse('act', status);
      const result = await (await start(`refused-${status}`, 'act')).result();
      expect(result.tool_calls).toMatchObject([{ output: expect.stringContaining(said) }]);
      expect(server.acts).toEqual([]);
    });

    test('one that is refused leaves those of other runs alone', async () => {
      const other = await start('waits', 'waits');
      await expect.poll(() => server.acts, { timeout: 15_000 }).toEqual(['waits']);
      server.refuse('act', 401);
      await (await start('unauthorized', 'act')).result();
      server.go();
      expect((await other.result()).tool_calls).toMatchObject([{ status: 'completed', output: 'done' }]);
    });
  });

  test('are those of the configuration that the page shows', async () => {
    const path = fileURLToPath(new URL('../../examples/docs/mcp.config.ts', import.meta.url));
    const { config } = await loadConfigFile({ path });
    expect(config.registry.names()).toContain('shop_get-sum');
    expect(config.registry.policy('shop_echo')).toMatchObject({ effect: 'idempotent', guarded: true });
    expect(config.registry.policy('shop_get-sum')).toMatchObject({ effect: 'none' });
  });

  describe('of a server that lists them in an odd way', () => {
    const one = (name: string, rest: object = {}) => ({
      name,
      inputSchema: { type: 'object' as const },
      ...rest,
    });
    test.each([
      ['an empty cursor', () => ({ tools: [one('a'), one('b')], nextCursor: '' })],
      [
        'a cursor that comes again',
        (cursor?: string) => ({ tools: [one(cursor === undefined ? 'a' : 'b')], nextCursor: 'again' }),
      ],
      ['the same page again', () => ({ tools: [one('a'), one('b')], nextCursor: 'again' })],
      [
        'more than one page',
        (cursor?: string) =>
          cursor === undefined ? { tools: [one('a')], nextCursor: '1' } : { tools: [one('b')] },
      ],
      [
        'an empty description',
        () => ({ tools: [one('a', { description: '' }), one('b', { description: ' ' })] }),
      ],
      [
        'a schema of outputs that nobody can read',
        () => ({
          tools: [one('a', { outputSchema: { type: 'object', $ref: '#/$defs/gone' } }), one('b')],
        }),
      ],
    ])('%s: each is brought in once', async (_, pages) => {
      const server = await startMcpHttpServer(pages);
      const tools = await mcpTools({ url: server.url });
      try {
        expect(createRegistry(tools).names()).toEqual(['a', 'b']);
      } finally {
        await tools.close();
        await server.close();
      }
    });
  });

  test('of what is no URL are a mistake of the configuration', async () => {
    const refused = mcpTools({ url: 'example.com/mcp' });
    await expect(refused).rejects.toSatisfy(isConfigError);
    await expect(refused).rejects.toThrow('mcpTools.url: Give a URL');
  });

  test('that cannot be listed are no tools: it says where, and what to do', async () => {
    const [port = 0] = await findFreePorts(1);
    const url = `http://127.0.0.1:${port}/mcp?key=secret`;
    await expect(mcpTools({ url })).rejects.toThrow(
      `The MCP server at http://127.0.0.1:${port} did not tell its tools. Start it, or mend its command or URL and its credentials.`,
    );
    await expect(mcpTools({ command: 'no-such-command-here' })).rejects.toThrow('no-such-command-here');
  });
});
