import { element, type Markup, type MarkupChild, markupText } from '../../formats/markup.ts';
import type { Theme } from './theme.ts';

/** How a picture is to look; what it shows does not depend on it. */
export interface PictureStyle {
  theme: Theme;
  /** CSS pixels. */
  width: number;
}

/** A page's column, and a phone held upright. */
export const WIDE = 920;
export const NARROW = 340;
/** Below this, panels stand under one another. */
const SIDE_BY_SIDE_FROM = 640;

export function isNarrow({ width }: PictureStyle): boolean {
  return width < SIDE_BY_SIDE_FROM;
}

/** Inter is what PNG files are drawn with; elsewhere what the reader's system is set in. */
const FONT_FAMILY = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
/** CSS pixels. */
export const FONT_SIZE = 12;
export const LINE_HEIGHT = 18;

export interface PictureFrame {
  title: string;
  /** What it shows, for those who cannot see it: one or two sentences with the figures. */
  description: string;
  height: number;
}

/** A whole SVG document, which can also stand within a page. */
export function picture(style: PictureStyle, frame: PictureFrame, ...children: MarkupChild[]): Markup {
  const { width, theme } = style;
  const size = { width, height: frame.height };
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      ...size,
      viewBox: `0 0 ${width} ${Math.ceil(frame.height)}`,
      role: 'img',
      'font-family': FONT_FAMILY,
      'font-size': FONT_SIZE,
      fill: theme.ink,
    },
    element('title', {}, frame.title),
    element('desc', {}, frame.description),
    element('rect', { ...size, fill: theme.background }),
    ...children,
  );
}

/** The text of an SVG file. */
export function svgFile(svg: Markup): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${markupText(svg)}\n`;
}

/** A part of a picture, in CSS pixels. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Larger magnitudes are a diverged run's; differences of two of them overflow on the way to the paper. */
const LARGEST_DRAWN = 1e15;

/** A run that diverges leaves NaN and infinities behind: they are left out, and its curve ends there. */
export function isDrawable(...values: number[]): boolean {
  return values.every((value) => Number.isFinite(value) && Math.abs(value) < LARGEST_DRAWN);
}
