// Obtains a model as a process of its own, so that it can be killed and raced. Prints what happens, one JSON object a line.
import { obtainModel } from '../../../../src/model/obtain/obtain.ts';

const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
try {
  print(await obtainModel(process.argv[2] ?? '', { onEvent: print }));
} catch (error) {
  print({ error: String(error) });
  process.exitCode = 1;
}
