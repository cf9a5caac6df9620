import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, test } from 'vitest';
import { checkMcpOptions } from '../../src/mcp/check-mcp-options.ts';
import { approvalOf, descriptionOf, effectOf, fits } from '../../src/mcp/mcp-options.ts';
import { outputOf } from '../../src/mcp/mcp-output.ts';
import { isAnswer, refusalOf } from '../../src/mcp/mcp-refusal.ts';

describe('what an MCP tool may do', () => {
  test('a pattern stands for names: * for anything, all else for itself', () => {
    expect(fits('get_order', 'get_*')).toBe(true);
    expect(fits('get_order', '*')).toBe(true);
    expect(fits('forget_order', 'get_*')).toBe(false);
    expect(fits('get.order', 'get_order')).toBe(false);
    expect(fits('a.b', 'a.b')).toBe(true);
    expect(fits('axb', 'a.b')).toBe(false);
  });

  test('acts once, unless a pattern says otherwise, or hints that are believed', () => {
    const hints = { readOnlyHint: true };
    expect(effectOf('pay', undefined, {})).toBe('once');
    expect(effectOf('look', hints, {})).toBe('once');
    expect(effectOf('look', hints, { trustHints: true })).toBe('none');
    expect(effectOf('put', { idempotentHint: true }, { trustHints: true })).toBe('idempotent');
    expect(effectOf('look', hints, { trustHints: true, effect: { 'l*': 'idempotent', '*': 'none' } })).toBe(
      'idempotent',
    );
  });

  test('waits for people by a pattern, always or never', () => {
    expect(approvalOf('pay_out', { needsApproval: ['pay*'] })).toBe(true);
    expect(approvalOf('look', { needsApproval: ['pay*'] })).toBe(false);
    expect(approvalOf('look', { needsApproval: true })).toBe(true);
    expect(approvalOf('pay', {})).toBe(false);
  });
});

describe('what a model chooses a tool by', () => {
  test('is its description, else its title, else its name: none of them has to be there', () => {
    const annotations = { title: ' Look up ' };
    expect(descriptionOf({ name: 'look', description: ' Looks.\n', annotations })).toBe('Looks.');
    expect(descriptionOf({ name: 'look', description: '  ', annotations })).toBe('Look up');
    expect(descriptionOf({ name: 'look', annotations: { title: '' } })).toBe('look');
    expect(descriptionOf({ name: 'look' })).toBe('look');
  });
});

describe('what mcpTools is given', () => {
  const fields = (options: unknown): readonly string[] => checkMcpOptions(options).map(({ field }) => field);

  test('is a server by command or by URL, and what its tools may do', () => {
    const traits = {
      tools: ['get_*'],
      prefix: 'p_',
      effect: { '*': 'none' },
      trustHints: true,
      needsApproval: ['pay'],
      decision: { timeout: '1 day' },
      onUnknown: 'wait',
      timeout: '1 minute',
    };
    expect(
      checkMcpOptions({ command: 'node', args: ['a'], env: { A: 'b' }, cwd: '/tmp', ...traits }),
    ).toEqual([]);
    const headers = { authorization: 'Bearer k' };
    expect(checkMcpOptions({ url: 'https://example.com/mcp?key=k', headers, ...traits })).toEqual([]);
    expect(checkMcpOptions({ url: 'http://[::1]:3000/mcp', needsApproval: true, timeout: 5_000 })).toEqual(
      [],
    );
  });

  test.each([
    ['nothing', undefined, ['mcpTools']],
    ['no server', {}, ['mcpTools.command']],
    ['an empty command', { command: '' }, ['mcpTools.command']],
    ['both', { command: 'node', url: 'http://a/' }, ['mcpTools.command']],
    ['a URL that is not there', { url: undefined }, ['mcpTools.url']],
    ['no URL', { url: 'example.com/mcp' }, ['mcpTools.url']],
    ['another protocol', { url: 'ftp://example.com' }, ['mcpTools.url']],
    ['credentials in the URL', { url: 'https://u:secret@example.com' }, ['mcpTools.url']],
    [
      'headers that are none',
      { url: 'http://a/', headers: { 'a b': 'x', b: 'x\ny' } },
      ['mcpTools.headers.a b', 'mcpTools.headers.b'],
    ],
    ['a header that is not there', { url: 'http://a/', headers: { a: undefined } }, ['mcpTools.headers.a']],
    ['an option that is none', { command: 'node', efect: {} }, ['mcpTools.efect']],
    [
      'several mistakes',
      { command: 'node', tools: 'get', effect: { a: 'twice' }, needsApproval: 'pay', timeout: 'soon' },
      ['mcpTools.tools', 'mcpTools.effect.a', 'mcpTools.needsApproval', 'mcpTools.timeout'],
    ],
  ])('with %s is refused, by field', (_, options, expected) => {
    expect(fields(options)).toEqual(expected);
  });

  test('is shown in no message', () => {
    const said = JSON.stringify([
      checkMcpOptions({ url: 'https://u:secret@example.com', headers: { 'a b': 'secret' } }),
      checkMcpOptions({ url: 'secret' }),
    ]);
    expect(said).not.toContain('secret');
  });
});

describe('what a model reads of an answer', () => {
  test('is its texts, and the names of what is no text', () => {
    const content = [
      { type: 'text', text: 'One' },
      { type: 'image', mimeType: 'image/png' },
      { type: 'resource', resource: { uri: 'demo://1', text: 'Inside' } },
      { type: 'resource', resource: { uri: 'demo://2' } },
      { type: 'resource_link', uri: 'demo://3', name: 'third' },
    ];
    expect(outputOf({ content })).toBe(
      'One\n[image, image/png]\nInside\n[resource demo://2]\n[resource third demo://3]',
    );
  });

  test('is the structure where there is no text, and nothing where there is nothing', () => {
    expect(outputOf({ content: [], structuredContent: { sum: 3 } })).toBe('{"sum":3}');
    expect(outputOf({})).toBe('');
  });

  test('is an error that it can read, where the tool says that it failed', () => {
    expect(JSON.parse(outputOf({ isError: true, content: [{ type: 'text', text: 'No funds.' }] }))).toEqual({
      error: { code: 'tool_failed', message: 'No funds.' },
    });
  });
});

describe('what an error says of a call', () => {
  const http = (status: number): Error => new StreamableHTTPError(status, 'no');
  const refused = Object.assign(new Error('no'), { code: 'ECONNREFUSED' });
  const reset = Object.assign(new Error('no'), { code: 'ECONNRESET' });

  test.each([
    [400, 'unaccepted'],
    [401, 'credentials'],
    [403, 'credentials'],
    [404, 'away'],
    [405, 'unaccepted'],
    [415, 'unaccepted'],
    [429, 'busy'],
    [408, null],
    [500, null],
    [502, null],
    // An answer that is no MCP message.
    [-1, null],
  ])('HTTP %i: %s', (status, refusal) => {
    expect(refusalOf(http(status))).toBe(refusal);
  });

  test('a connection that was refused everywhere came to nobody', () => {
    expect(refusalOf(new TypeError('fetch failed', { cause: refused }))).toBe('away');
    const every = new AggregateError([refused, refused]);
    expect(refusalOf(new TypeError('fetch failed', { cause: every }))).toBe('away');
    const some = new AggregateError([refused, reset]);
    expect(refusalOf(new TypeError('fetch failed', { cause: some }))).toBeNull();
    expect(refusalOf(new TypeError('fetch failed', { cause: new AggregateError([]) }))).toBeNull();
    expect(refusalOf(new TypeError('fetch failed', { cause: reset }))).toBeNull();
    expect(refusalOf(new Error('no'))).toBeNull();
    expect(refusalOf(new McpError(ErrorCode.InternalError, 'no'))).toBeNull();
  });

  test('a server that answers a ping is there, whatever it answers but that it knows no such session', () => {
    expect(isAnswer(new McpError(ErrorCode.MethodNotFound, 'no'))).toBe(true);
    expect(isAnswer(new McpError(ErrorCode.InternalError, 'no'))).toBe(true);
    expect(isAnswer(new McpError(ErrorCode.RequestTimeout, 'no'))).toBe(false);
    expect([401, 403, 405, 415, 429].map((status) => isAnswer(http(status)))).not.toContain(false);
    expect([400, 404, 500, 502, -1].map((status) => isAnswer(http(status)))).not.toContain(true);
    expect(isAnswer(new TypeError('fetch failed', { cause: refused }))).toBe(false);
  });
});
