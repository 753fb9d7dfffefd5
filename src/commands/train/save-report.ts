import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { anchorsPicture } from '../../dro/pictures/anchors-picture.ts';
import { evaluationPicture } from '../../dro/pictures/evaluation-picture.ts';
import { frontierPicture } from '../../dro/pictures/frontier-picture.ts';
import { svgFile, WIDE } from '../../dro/pictures/picture.ts';
import { renderPng } from '../../dro/pictures/png.ts';
import { lightTheme } from '../../dro/pictures/theme.ts';
import { trainingPicture } from '../../dro/pictures/training-picture.ts';
import { renderTrainingReport } from '../../dro/report/render-training-report.ts';
import type { TrainingReport } from '../../dro/report/report-data.ts';
import { writingTo } from '../../model/obtain/file-errors.ts';

const style = { theme: lightTheme, width: WIDE };

/** `report.html`, and each picture as SVG and PNG. Returns the report's path. Throws `file_unwritable`. */
export async function saveReport(directory: string, report: TrainingReport): Promise<string> {
  const [evaluation] = report.evaluations;
  const pictures = {
    ...(report.training === null ? {} : { training: trainingPicture(report.training, style) }),
    ...(report.anchors === null ? {} : { anchors: anchorsPicture(report.anchors, style) }),
    ...(report.frontier === null ? {} : { frontier: frontierPicture(report.frontier, style) }),
    ...(evaluation === undefined ? {} : { evaluation: evaluationPicture(evaluation, style) }),
  };
  const path = join(directory, 'report.html');
  await writingTo(directory, async () => {
    await mkdir(directory, { recursive: true });
    await writeFile(path, renderTrainingReport(report));
    for (const [name, markup] of Object.entries(pictures)) {
      await writeFile(join(directory, `${name}.svg`), svgFile(markup));
      await writeFile(join(directory, `${name}.png`), await renderPng(markup));
    }
  });
  return path;
}
