import { groupTables, tableNotes } from './evaluation-rows.ts';
import type { EvaluationReport } from './report.ts';

/** The report as a page of Markdown. Pure. */
export function evaluationMarkdown(report: EvaluationReport): string {
  const line = (cells: readonly string[]) => `| ${cells.map(inCell).join(' | ')} |`;
  const groups = groupTables(report).flatMap(({ title, parts, artifact }) => [
    `## ${title}`,
    ...parts.map(({ headings, rows }) => {
      const rule = `|${headings.map((_, column) => (column === 0 ? '---|' : '---:|')).join('')}`;
      const body = rows.map((cells, row) => line(row === artifact ? cells.map((cell) => `**${cell}**`) : cells));
      return [line(headings.map(sentenceCase)), rule, ...body].join('\n');
    }),
  ]);
  const notes = [...tableNotes(report), `Measured ${report.created} by ${report.tool}`].map((note) => `- ${note}`);
  return `${[`# Evaluation of ${report.prompt.label}`, ...groups, notes.join('\n')].join('\n\n')}\n`;
}

/** A name may hold what ends a cell. */
function inCell(cell: string): string {
  return cell.replaceAll('|', '\\|');
}

function sentenceCase(heading: string): string {
  return heading.charAt(0) + heading.slice(1).toLowerCase();
}
