/** `npm run build`: `dist/` anew, with JavaScript, declarations, the workflows' bundle and the executable. */
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as WorkflowBundle from '../src/workflow-bundle.ts';
import { ROOT, runTool } from './run-tool.ts';

const DIST = join(ROOT, 'dist');
const SOURCE_MAP = /^(\/\/# sourceMappingURL=data:application\/json[^,]*;base64,)(.+)$/m;

/**
 * A bundle's source map names every file by its place on this machine and holds its text. What is published
 * names them by their place in the package; the text stands in the build.
 */
function withoutPlaces(bundle: string): string {
  return bundle.replace(SOURCE_MAP, (_line, prefix: string, encoded: string) => {
    const map = JSON.parse(Buffer.from(encoded, 'base64').toString()) as {
      readonly sources: readonly string[];
    };
    const sources = map.sources.map((source) =>
      source.replaceAll(ROOT, '').replace(/[^|]*(?=node_modules\/)/, ''),
    );
    const portable = { ...map, sources, sourcesContent: undefined };
    return prefix + Buffer.from(JSON.stringify(portable)).toString('base64');
  });
}

async function build(): Promise<void> {
  await rm(DIST, { recursive: true, force: true });
  const compiled = await runTool(['tsc', '-p', 'tsconfig.build.json']);
  if (!compiled.ok) throw new Error(`The sources do not compile:\n${compiled.output}`);
  const built = pathToFileURL(join(DIST, 'src', 'workflow-bundle.js')).href;
  const { writePrebuiltBundle } = (await import(built)) as typeof WorkflowBundle;
  const bundle = await writePrebuiltBundle();
  await writeFile(bundle, withoutPlaces(await readFile(bundle, 'utf8')));
  await chmod(join(DIST, 'src', 'cli', 'main.js'), 0o755);
}

try {
  await build();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
