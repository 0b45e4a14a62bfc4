import { crc32, deflateSync } from 'node:zlib';

/** A picture of a few flat colours, and its PNG: for hosts that show no SVG. */
export interface Canvas {
  width: number;
  height: number;
  /** Colours are numbers of the palette. Left, top, right and bottom in pixels; what lies outside is left out. */
  box(left: number, top: number, right: number, bottom: number, colour: number): void;
  /** From point to point. @param dash pixels drawn and pixels left out by turns */
  line(points: readonly (readonly [number, number])[], thick: number, colour: number, dash?: number): void;
  dot(x: number, y: number, radius: number, colour: number): void;
  /** The top left corner; letters are ten by fourteen pixels, twelve apart. Characters without a shape are blank. */
  text(x: number, y: number, text: string, colour: number): void;
  png(): Buffer;
}

export const letterWidth = 12;

/** @param palette at most 16 colours as 0xRRGGBB; the first is the ground */
export function canvas(width: number, height: number, palette: readonly number[]): Canvas {
  const cells = new Uint8Array(width * height);
  const set = (x: number, y: number, colour: number) => {
    if (x >= 0 && y >= 0 && x < width && y < height) cells[y * width + x] = colour;
  };
  const box: Canvas['box'] = (left, top, right, bottom, colour) => {
    for (let y = Math.round(top); y < Math.round(bottom); y++) {
      for (let x = Math.round(left); x < Math.round(right); x++) set(x, y, colour);
    }
  };
  const dot: Canvas['dot'] = (x, y, radius, colour) => {
    for (let dy = -Math.ceil(radius); dy <= radius; dy++) {
      for (let dx = -Math.ceil(radius); dx <= radius; dx++) {
        if (dx * dx + dy * dy <= radius * radius) set(Math.round(x) + dx, Math.round(y) + dy, colour);
      }
    }
  };
  return {
    width,
    height,
    box,
    dot,
    line(points, thick, colour, dash = 0) {
      let gone = 0;
      points.slice(1).forEach(([x, y], i) => {
        const [fromX, fromY] = points[i] ?? [x, y];
        const steps = Math.max(1, Math.ceil(Math.hypot(x - fromX, y - fromY)));
        for (let step = 0; step <= steps; step++, gone++) {
          if (dash > 0 && Math.floor(gone / dash) % 2 === 1) continue;
          dot(fromX + ((x - fromX) * step) / steps, fromY + ((y - fromY) * step) / steps, thick / 2, colour);
        }
      });
    },
    text(x, y, text, colour) {
      [...text].forEach((character, i) => {
        const columns = shapes[character] ?? '';
        for (let column = 0; column < columns.length / 2; column++) {
          const bits = Number.parseInt(columns.slice(2 * column, 2 * column + 2), 16);
          for (let row = 0; row < 7; row++) {
            const left = x + i * letterWidth + 2 * column;
            if ((bits >> row) & 1) box(left, y + 2 * row, left + 2, y + 2 * row + 2, colour);
          }
        }
      });
    },
    png: () => encoded(cells, width, height, palette),
  };
}

/** Four bits a pixel by a palette; https://www.w3.org/TR/png-3/ */
function encoded(cells: Uint8Array, width: number, height: number, palette: readonly number[]): Buffer {
  const row = 1 + Math.ceil(width / 2);
  const rows = Buffer.alloc(row * height);
  cells.forEach((colour, i) => {
    const x = i % width;
    const at = Math.floor(i / width) * row + 1 + (x >> 1);
    rows[at] = (rows[at] ?? 0) | (x % 2 === 0 ? colour << 4 : colour);
  });
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([4, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = deflateSync(rows, { level: 9 });
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('PLTE', colours),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

// biome-ignore format: a table of letters
/** Five columns of seven dots each, the lowest bit on top. */
const shapes: Record<string, string> = {
  '0': '3e5149453e', '1': '00427f4000', '2': '4261514946', '3': '2141454b31', '4': '1814127f10',
  '5': '2745454539', '6': '3c4a494930', '7': '0171090503', '8': '3649494936', '9': '064949291e',
  '.': '0060600000', ',': '0050300000', '-': '0808080808', '+': '08083e0808', '%': '2313086462',
  ':': '0036360000', '/': '2010080402', '(': '001c224100', ')': '0041221c00',
  A: '7e1111117e', B: '7f49494936', C: '3e41414122', D: '7f4141221c', E: '7f49494941', F: '7f09090901',
  G: '3e4149497a', H: '7f0808087f', I: '00417f4100', J: '2040413f01', K: '7f08142241', L: '7f40404040',
  M: '7f020c027f', N: '7f0408107f', O: '3e4141413e', P: '7f09090906', Q: '3e4151215e', R: '7f09192946',
  S: '4649494931', T: '01017f0101', U: '3f4040403f', V: '1f2040201f', W: '3f4038403f', X: '6314081463',
  Y: '0708700807', Z: '6151494543',
  a: '2054545478', b: '7f48444438', c: '3844444420', d: '384444487f', e: '3854545418', f: '087e090102',
  g: '0c5252523e', h: '7f08040478', i: '00447d4000', j: '2040443d00', k: '7f10284400', l: '00417f4000',
  m: '7c04180478', n: '7c08040478', o: '3844444438', p: '7c14141408', q: '081414187c', r: '7c08040408',
  s: '4854545420', t: '043f444020', u: '3c4040207c', v: '1c2040201c', w: '3c4030403c', x: '4428102844',
  y: '0c5050503c', z: '4464544c44',
};
