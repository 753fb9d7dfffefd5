import { groupTables, tableNotes } from '../../dro/evaluation/evaluation-rows.ts';
import type { EvaluationReport } from '../../dro/evaluation/report.ts';
import { table } from '../output.ts';

type Style = 'bold' | 'dim';
const codes: Record<Style, readonly [on: number, off: number]> = { bold: [1, 22], dim: [2, 22] };

/** The report for a terminal, with colours if asked for: one table a group, the artifact's row stands out. */
export function evaluationTable(report: EvaluationReport, colours: boolean): string {
  const styled = (style: Style, text: string) =>
    colours ? `\u001b[${codes[style][0]}m${text}\u001b[${codes[style][1]}m` : text;
  const groups = groupTables(report).map(({ title, parts, artifact }) => {
    const tables = parts.map(({ headings, rows }) => {
      const [heading = '', ...lines] = table(headings, rows).trimEnd().split('\n');
      return [styled('dim', heading), ...lines.map((line, row) => (row === artifact ? styled('bold', line) : line))];
    });
    return [styled('bold', title), ...tables.flatMap((lines) => [...lines, ''])].join('\n');
  });
  const notes = tableNotes(report).map((note) => styled('dim', note));
  return `${[...groups, ...notes].join('\n')}\n`;
}
