/** Everything that can be wrong with what `mcpTools` is given. Pure. */
import { z } from 'zod';
import type { Issue } from '../contract.ts';
import { readDuration } from '../tools/check-tool.ts';
import { fieldName } from '../tools/tool-output.ts';

const patterns = z.array(z.string()).readonly();
const texts = z.record(z.string(), z.string());

const traits = {
  tools: patterns.optional(),
  prefix: z.string().optional(),
  effect: z.record(z.string(), z.enum(['none', 'idempotent', 'once'])).optional(),
  trustHints: z.boolean().optional(),
  needsApproval: z.union([z.boolean(), patterns], 'Give true, false, or a list of patterns.').optional(),
  // Checked with the tools.
  decision: z.unknown().optional(),
  onUnknown: z.enum(['end', 'wait', 'tell_model']).optional(),
  timeout: z
    .custom((held) => readDuration(held) !== null, "Give a duration, such as '2 minutes' or milliseconds.")
    .optional(),
};

/** The URL may hold a key: no message shows it. */
function urlMistake(url: string): string | null {
  if (!URL.canParse(url)) return 'Give a URL, such as https://tools.example.com/mcp.';
  const { protocol, username, password } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') return 'Give a URL of http or https.';
  return username + password === '' ? null : 'Give the credentials by `headers`: a URL cannot carry them.';
}

function isHeader(name: string, value: string): boolean {
  try {
    return new Headers([[name, value]]).has(name);
  } catch {
    return false;
  }
}

const byUrl = z.strictObject({
  url: z.string('Give a URL, such as https://tools.example.com/mcp.').superRefine((url, context) => {
    const message = urlMistake(url);
    if (message !== null) context.addIssue({ code: 'custom', message });
  }),
  headers: texts
    .superRefine((headers, context) => {
      for (const [name, value] of Object.entries(headers)) {
        if (isHeader(name, value)) continue;
        context.addIssue({ code: 'custom', path: [name], message: 'Give a header that HTTP can carry.' });
      }
    })
    .optional(),
  ...traits,
});

const COMMAND = 'Give the command that starts the server, or the `url` of one that runs.';
const byCommand = z.strictObject({
  command: z.string(COMMAND).min(1, COMMAND),
  args: z.array(z.string()).readonly().optional(),
  env: texts.optional(),
  cwd: z.string().optional(),
  ...traits,
});

const fieldOf = (path: readonly PropertyKey[]): string =>
  ['mcpTools', ...path.map((part) => (typeof part === 'string' ? fieldName(part) : String(part)))].join('.');

/** Every mistake at once. None shows what it was given. */
export function checkMcpOptions(options: unknown): readonly Issue[] {
  const isUrl = typeof options === 'object' && options !== null && 'url' in options;
  const schema: z.ZodType = isUrl ? byUrl : byCommand;
  const { error } = schema.safeParse(options);
  return (error?.issues ?? []).flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          field: fieldOf([...issue.path, key]),
          message: `No such option of a server by ${isUrl ? 'URL' : 'command'}.`,
        }))
      : [{ field: fieldOf(issue.path), message: issue.message }],
  );
}
