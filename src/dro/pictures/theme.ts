/** What a picture is painted with. Its colours are told apart by lightness, shape or dash too: none of them carries a meaning alone. */
export interface Theme {
  background: string;
  ink: string;
  /** Ticks and remarks; at least 4.5:1 against the background. */
  muted: string;
  grid: string;
  /** Behind the row that matters. */
  highlight: string;
  /** The corner that is aimed at. */
  target: string;
  harmful: string;
  harmless: string;
  /** Further series, in this order. */
  series: readonly string[];
}

/** The palette of Okabe and Ito, made for all kinds of colour vision; on each ground those of its colours that reach 3:1 there. */
export const lightTheme: Theme = {
  background: '#ffffff',
  ink: '#1b1f24',
  muted: '#57606a',
  grid: '#e4e7eb',
  highlight: '#eff1f4',
  target: '#dff3ea',
  harmful: '#d55e00',
  harmless: '#0072b2',
  series: ['#009e73', '#b5568c', '#a87400', '#57606a'],
};

export const darkTheme: Theme = {
  background: '#11151a',
  ink: '#e8ebee',
  muted: '#9ea8b3',
  grid: '#2a313a',
  highlight: '#1d232b',
  target: '#12332a',
  harmful: '#ff8a3c',
  harmless: '#56b4e9',
  series: ['#1fbf8f', '#e09cc4', '#e6b422', '#9ea8b3'],
};

/** For pictures within a page whose style sheet holds `themeVariables`: they follow the reader's choice of light or dark. */
export const pageTheme: Theme = {
  background: 'var(--background)',
  ink: 'var(--ink)',
  muted: 'var(--muted)',
  grid: 'var(--grid)',
  highlight: 'var(--highlight)',
  target: 'var(--target)',
  harmful: 'var(--harmful)',
  harmless: 'var(--harmless)',
  series: lightTheme.series.map((_, index) => `var(--series-${index})`),
};

/** The declarations of a style sheet that `pageTheme` reads. */
export function themeVariables(theme: Theme): string {
  const { series, ...named } = theme;
  const variables = [...Object.entries(named), ...series.map((colour, index) => [`series-${index}`, colour] as const)];
  return variables.map(([name, colour]) => `--${name}:${colour}`).join(';');
}
