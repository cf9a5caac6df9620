/** What a run of the harness leaves in its folder: journals as they grew, and what was known at its end. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalEntry } from '../src/emulator/index.ts';
import { readHeardEntries } from './heard-journal.ts';
import { readJsonLines } from './journal-file.ts';
import type { Evidence } from './judge/facts.ts';
import type { WorkflowTask } from './kill-windows.ts';
import type { NemesisEntry } from './nemesis-journal.ts';
import type { DriverName } from './options.ts';
import { readPeopleEntries } from './people-journal.ts';
import { readToolEntries } from './tool-journal.ts';

export interface Files {
  readonly folder: string;
  readonly provider: string;
  readonly tools: string;
  readonly nemesis: string;
  readonly people: string;
  readonly heard: string;
}

export const filesIn = (folder: string): Files => ({
  folder,
  provider: join(folder, 'provider.jsonl'),
  tools: join(folder, 'tools.jsonl'),
  nemesis: join(folder, 'nemesis.jsonl'),
  people: join(folder, 'people.jsonl'),
  heard: join(folder, 'heard.jsonl'),
});

type Journals = Pick<Evidence, 'provider' | 'tools' | 'people' | 'heard' | 'nemesis'>;

export const readProvider = ({ provider }: Files): readonly JournalEntry[] =>
  readJsonLines(provider) as readonly JournalEntry[];

export const readJournals = (files: Files): Journals => ({
  provider: readProvider(files),
  tools: readToolEntries(files.tools),
  people: readPeopleEntries(files.people),
  heard: readHeardEntries(files.heard),
  nemesis: readJsonLines(files.nemesis) as readonly NemesisEntry[],
});

/** What stands in no journal. */
export interface Kept extends Omit<Evidence, keyof Journals> {
  readonly driver: DriverName;
  readonly tasks: readonly WorkflowTask[];
  readonly endAt: number;
}

const keptIn = (folder: string): string => join(folder, 'kept.json');

export const writeKept = (folder: string, kept: Kept): void =>
  writeFileSync(keptIn(folder), JSON.stringify(kept));

export const readKept = (folder: string): Kept => JSON.parse(readFileSync(keptIn(folder), 'utf8')) as Kept;
