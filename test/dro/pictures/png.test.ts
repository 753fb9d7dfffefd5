import t from 'tap';
import { picture } from '../../../src/dro/pictures/picture.ts';
import { renderPng } from '../../../src/dro/pictures/png.ts';
import { textAt } from '../../../src/dro/pictures/text.ts';
import { lightTheme } from '../../../src/dro/pictures/theme.ts';

const draw = (text: string, weight: 400 | 600 = 400) =>
  renderPng(
    picture(
      { theme: lightTheme, width: 200 },
      { title: 'a', description: 'b', height: 50 },
      textAt(10, 20, text, { weight }),
    ),
  );

t.test('a PNG file of twice as many pixels', async (t) => {
  const png = await draw('');
  t.strictSame([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  t.strictSame([png.readUInt32BE(16), png.readUInt32BE(20)], [400, 100]);
});

t.test('letters are drawn from the font that comes along, in both weights', async (t) => {
  const [empty, regular, bold, accented] = await Promise.all([
    draw(''),
    draw('refused'),
    draw('refused', 600),
    draw('réfusé'),
  ]);
  t.notOk(empty.equals(regular));
  t.notOk(regular.equals(bold));
  t.notOk(regular.equals(accented));
});
