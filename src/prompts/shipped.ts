import { fileURLToPath } from 'node:url';

/** Where the artifacts that come with Preamble lie: beside `src/` in a checkout, beside `dist/` in the published package. */
export const shippedPromptDirectory = fileURLToPath(new URL('../../prompts', import.meta.url));
