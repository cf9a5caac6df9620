/** Figures and targets as tables for a terminal. */
import CliTable from 'cli-table3';
import { shown } from './scenario.ts';
import type { Cell, Table, Target } from './scenario.ts';

function draw(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const table = new CliTable({ head: [...head], style: { head: [], border: [], compact: true } });
  for (const row of rows) table.push(row.map(shown));
  return table.toString();
}

export const drawTable = ({ title, head, rows }: Table): string => `\n${title}\n${draw(head, rows)}`;

export const drawTargets = (targets: readonly Target[]): string =>
  draw(
    ['must show', 'measured', 'target', 'met'],
    targets.map(({ name, value, target, met }) => [name, value, target, met ? 'yes' : 'NO']),
  );
