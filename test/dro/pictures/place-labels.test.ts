import fc from 'fast-check';
import t from 'tap';
import type { Box } from '../../../src/dro/pictures/picture.ts';
import { placeLabels } from '../../../src/dro/pictures/place-labels.ts';

const box = { x: 0, y: 0, width: 300, height: 200 };
const overlap = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

t.test('labels cover neither marks nor one another, and stay within the picture', async (t) => {
  const point = fc.record({ x: fc.integer({ min: 0, max: 300 }), y: fc.integer({ min: 0, max: 200 }) });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(point, { maxLength: 20 }), (points) => {
        const solid = points.map(({ x, y }) => ({ x: x - 5, y: y - 5, width: 10, height: 10 }));
        const labels = points.map((at) => ({ at, width: 40, height: 14 }));
        const placed = placeLabels(labels, { solid, thin: [] }, 5, box).filter((place) => place !== null);
        return placed.every(
          (place, index) =>
            !solid.some((mark) => overlap(place, mark)) &&
            !placed.slice(0, index).some((other) => overlap(place, other)) &&
            place.x >= 0 &&
            place.y >= 0 &&
            place.x + place.width <= 300 &&
            place.y + place.height <= 200,
        );
      }),
    ),
  );
});

t.test('a line is crossed only where there is no other place', async (t) => {
  const label = { at: { x: 150, y: 100 }, width: 40, height: 14 };
  const [free] = placeLabels([label], { solid: [], thin: [] }, 5, box);
  t.match(free, { x: 157, y: 93 }, 'at the right, if nothing is there');
  const [above] = placeLabels([label], { solid: [], thin: [{ x: 0, y: 100, width: 300, height: 0 }] }, 5, box);
  t.ok(above && above.y + above.height < 100, 'above a line that runs through the mark');
});
