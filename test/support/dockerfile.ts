/** Reads a Dockerfile as far as ours goes, so that its steps can be run without Docker. */

export interface DockerStep {
  readonly instruction: string;
  readonly text: string;
}

export interface DockerStage {
  /** Null for the last one, which nobody copies from. */
  readonly name: string | null;
  readonly steps: readonly DockerStep[];
}

export interface DockerCopy {
  /** The stage that it copies from; null for the build's context. */
  readonly from: string | null;
  readonly sources: readonly string[];
  readonly target: string;
}

/** The stages of a Dockerfile that has an instruction a line. */
export function readDockerfile(text: string): readonly DockerStage[] {
  const stages: { name: string | null; steps: DockerStep[] }[] = [];
  for (const line of text.split('\n')) {
    const [, instruction, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (instruction === undefined || rest === undefined) continue;
    if (instruction === 'FROM') stages.push({ name: / AS (\w+)$/.exec(rest)?.[1] ?? null, steps: [] });
    else stages.at(-1)?.steps.push({ instruction, text: rest });
  }
  return stages;
}

export function readCopy(text: string): DockerCopy {
  const words = text.split(/\s+/);
  const flag = words.find((word) => word.startsWith('--from='));
  const paths = words.filter((word) => !word.startsWith('--'));
  return {
    from: flag?.slice('--from='.length) ?? null,
    sources: paths.slice(0, -1),
    target: paths.at(-1) ?? '.',
  };
}
