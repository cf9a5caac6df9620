/**
 * Writes `docs/schema/*.json`: what services and remote tools in other languages exchange with Drover.
 * `--check` writes nothing and exits 1 where a file is out of date.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { createGenerator } from 'ts-json-schema-generator';
import { z } from 'zod';
import { runRequestSchema } from '../src/request-schema.ts';

const root = new URL('../', import.meta.url);
const folder = new URL('docs/schema/', root);

function fromType(file: string, type: string, description: string): object {
  const schema = createGenerator({
    path: fileURLToPath(new URL(file, root)),
    tsconfig: fileURLToPath(new URL('tsconfig.json', root)),
    type,
    jsDoc: 'extended',
    topRef: false,
    // Readers must take fields that a later version adds.
    additionalProperties: true,
    skipTypeCheck: true,
    sortProps: false,
  }).createSchema(type);
  return { $schema: schema.$schema, title: type, description, ...withoutUndefined(schema) };
}

/** Plain JSON: the generator leaves properties that are undefined. */
function withoutUndefined(value: object): object {
  return JSON.parse(JSON.stringify(value)) as object;
}

/** The text of each published schema, by file name. */
export async function generateSchemas(): Promise<ReadonlyMap<string, string>> {
  const schemas: Readonly<Record<string, object>> = {
    'run-request.json': z.toJSONSchema(runRequestSchema, { io: 'input' }),
    'run-result.json': fromType(
      'src/contract.ts',
      'RunResult',
      "How a run ended: the workflow's result, the first detail of its failure, or the answer of the query `result`",
    ),
    'tool-input.json': fromType(
      'src/steps.ts',
      'ToolInput',
      'The one argument of the activity of a remote tool, whose name is the activity type; it returns the output as text',
    ),
  };
  const options = await resolveConfig(fileURLToPath(new URL('run-request.json', folder)));
  const entries = Object.entries(schemas).map(
    async ([name, schema]) =>
      [name, await format(JSON.stringify(schema), { ...options, parser: 'json' })] as const,
  );
  return new Map(await Promise.all(entries));
}

/** Names of published schemas that are out of date. */
export async function staleSchemas(): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const [name, text] of await generateSchemas()) {
    const published = await readFile(new URL(name, folder), 'utf8').catch(() => null);
    if (published !== text) stale.push(name);
  }
  return stale;
}

if (import.meta.main) {
  const stale = await staleSchemas();
  if (process.argv.includes('--check')) {
    if (stale.length > 0) {
      console.error(`Out of date: ${stale.join(', ')}. Run \`npm run schema\`.`);
      process.exitCode = 1;
    }
  } else {
    for (const [name, text] of await generateSchemas()) await writeFile(new URL(name, folder), text);
    console.log(stale.length > 0 ? `Wrote ${stale.join(', ')}.` : 'Nothing has changed.');
  }
}
