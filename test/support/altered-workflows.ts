/** Workflow code that is not today's: a copy of the sources with some lines changed, bundled. */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Edit {
  /** Within `src/workflows`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface AlteredWorkflows extends AsyncDisposable {
  /** The code of a bundle with these edits; throws where a line to change is not there any more. */
  bundle(name: string, edits?: readonly Edit[]): Promise<string>;
}

export async function alterWorkflows(): Promise<AlteredWorkflows> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-altered-'));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return {
    async bundle(name, edits = []) {
      const src = join(folder, name, 'src');
      await cp(join(root, 'src'), src, { recursive: true });
      for (const { file, from, to } of edits) {
        const path = join(src, 'workflows', file);
        const text = await readFile(path, 'utf8');
        if (!text.includes(from)) throw new Error(`${file} has changed: mend the edit of this test.`);
        await writeFile(path, text.replace(from, to));
      }
      const workflowsPath = join(src, 'workflows', 'index.ts');
      const logger = new DefaultLogger('ERROR', () => undefined);
      return (await bundleWorkflowCode({ workflowsPath, logger })).code;
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
