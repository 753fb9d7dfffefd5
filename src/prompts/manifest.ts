import { createHash } from 'node:crypto';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { PreambleError, toError } from '../errors.ts';
import { parseUniqueJson } from '../formats/unique-json.ts';
import { canonicalJson } from './canonical-json.ts';
import { isPromptVersion, MAX_VERSION_LENGTH, promptNamePattern, quote } from './name.ts';

export const MANIFEST_FILE = 'prompt.json';
export const TENSOR_FILE = 'prompt.safetensors';
export const MANIFEST_FORMAT = 'preamble.prompt/1';
/** A training curve of 10,000 steps with five figures each takes 1 MB. */
export const MAX_MANIFEST_BYTES = 4 * 2 ** 20;
/** The text of a safety prompt is a paragraph; this is some 4,000 tokens. */
export const MAX_TEXT_LENGTH = 16_384;
/** Sizes of models go up to some 10^5; this keeps every product of two of them exact. */
const MAX_DIMENSION = 2 ** 24;
/** Steps of a curve, entries of an evaluation: far above any real one. */
const MAX_ENTRIES = 100_000;

const closed = { additionalProperties: false };
const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });
const shortText = Type.String({ minLength: 1, maxLength: 200 });
const dimension = Type.Integer({ minimum: 1, maximum: MAX_DIMENSION });
const rate = Type.Number({ minimum: 0, maximum: 1 });
const time = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(?:\\.\\d{1,9})?Z$' });
const settings = Type.Record(Type.String({ maxLength: 100 }), Type.Union([Type.Number(), Type.Boolean(), shortText]));

const modelSchema = Type.Object(
  {
    /** Hub id where it has one. */
    id: shortText,
    architecture: shortText,
    hiddenSize: dimension,
    vocabSize: dimension,
    /** Of the bytes of `model.embed_tokens.weight` as stored. */
    embeddingsSha256: sha256,
    /** The tokenizer's `vocabularyDigest`. */
    tokenizerSha256: sha256,
  },
  closed,
);

/** Marks of one kind in one picture: more would cover each other. */
const MAX_MARKS = 1_000;
/** Under no prompt, and under one or a few. */
const MAX_PANELS = 4;
const coordinates = Type.Array(Type.Number(), { maxItems: MAX_MARKS });
/** a·x + b·y + c = 0, positive on the side where the probe says yes. */
const lineSchema = Type.Object({ a: Type.Number(), b: Type.Number(), c: Type.Number() }, closed);
/**
 * Where the last input tokens' states of the queries lie in the plane of the first two principal components: under no prompt first. Positions and no picture, so
 * that nobody has to trust a picture, and each page draws them in its own colours and width.
 */
const representationsSchema = Type.Object(
  {
    /** The share of the states' variance along either component. */
    variance: Type.Optional(Type.Tuple([rate, rate])),
    /** Where the probes' hyperplanes cut the plane. */
    boundaries: Type.Object({ refusal: lineSchema, harmfulness: lineSchema }, closed),
    panels: Type.Array(
      Type.Object(
        {
          title: shortText,
          groups: Type.Array(
            Type.Object(
              {
                label: Type.Union([Type.Literal('harmful'), Type.Literal('harmless')]),
                /** In more than half of their answers. */
                refused: Type.Boolean(),
                x: coordinates,
                y: coordinates,
              },
              closed,
            ),
            { maxItems: 4 },
          ),
        },
        closed,
      ),
      { maxItems: MAX_PANELS },
    ),
  },
  closed,
);

const trainingSchema = Type.Object(
  {
    /** `dro`, `vpt` */
    objective: shortText,
    hyperparameters: settings,
    anchors: Type.Array(Type.Object({ set: shortText, sha256 }, closed), { maxItems: MAX_ENTRIES }),
    seed: Type.Integer({ minimum: 0 }),
    /** Name and version of what trained it. */
    tool: shortText,
    curve: Type.Array(Type.Record(Type.String({ maxLength: 100 }), Type.Number()), { maxItems: MAX_ENTRIES }),
    representations: Type.Optional(representationsSchema),
  },
  closed,
);

/** A share of the set's queries and its 95% interval. */
const figureSchema = Type.Object({ rate, interval: Type.Tuple([rate, rate]) }, closed);
/** The same measure under the prompt, under none, under the prompt's own text, and under other prompts by their labels. */
const figuresSchema = Type.Object(
  {
    prompt: figureSchema,
    none: Type.Optional(figureSchema),
    text: Type.Optional(figureSchema),
    compared: Type.Optional(Type.Record(Type.String({ maxLength: 200 }), figureSchema)),
  },
  closed,
);
const amount = Type.Number({ minimum: 0 });
/** Means over answers: the share of 4-grams that stood before, words, and perplexity under the unprompted model. */
const textSchema = Type.Object({ repetition: rate, words: amount, perplexity: Type.Optional(amount) }, closed);
const evaluationSchema = Type.Object(
  {
    set: shortText,
    /** Number of queries. */
    n: Type.Integer({ minimum: 1 }),
    /** Of the set's file. */
    sha256: Type.Optional(sha256),
    label: Type.Optional(Type.Union([Type.Literal('harmful'), Type.Literal('harmless')])),
    complianceRate: Type.Optional(figuresSchema),
    refusalRate: Type.Optional(figuresSchema),
    partialRate: Type.Optional(figuresSchema),
    coherence: Type.Optional(Type.Object({ prompt: textSchema, none: Type.Optional(textSchema) }, closed)),
    detector: shortText,
    sampling: settings,
    measured: Type.Optional(time),
  },
  closed,
);

const signatureSchema = Type.Object(
  {
    algorithm: Type.Literal('ed25519'),
    /** SHA-256 of the public key's SPKI DER bytes. */
    keyId: sha256,
    /** 64 bytes in base64. */
    value: Type.String({ pattern: '^[A-Za-z0-9+/]{86}==$' }),
  },
  closed,
);

/** Closed: a field that this version does not know is refused, not silently left unread. */
const manifestSchema = Type.Object(
  {
    format: Type.Literal(MANIFEST_FORMAT),
    name: Type.String({ pattern: promptNamePattern }),
    version: Type.String({ minLength: 5, maxLength: MAX_VERSION_LENGTH }),
    created: time,
    model: modelSchema,
    position: Type.Union([Type.Literal('system'), Type.Literal('user')]),
    tensor: Type.Object({ file: Type.Literal(TENSOR_FILE), sha256 }, closed),
    /** What the rows were made of or initialised with: what a backend without embeddings sends instead. */
    text: Type.Optional(Type.String({ minLength: 1, maxLength: MAX_TEXT_LENGTH })),
    training: Type.Optional(trainingSchema),
    evaluation: Type.Array(evaluationSchema, { maxItems: MAX_ENTRIES }),
    /** How often these rows were evaluated on the test split; more than once means that its figures may have been chosen by. */
    testSetReads: Type.Optional(Type.Integer({ minimum: 0 })),
    signature: Type.Optional(signatureSchema),
  },
  closed,
);

export type PromptManifest = Static<typeof manifestSchema>;
export type PromptModel = Static<typeof modelSchema>;
export type PromptRepresentations = Static<typeof representationsSchema>;
export type PromptEvaluation = Static<typeof evaluationSchema>;

const checker = Compile(manifestSchema);

/** Parses the text of a `prompt.json`; `path` is named in errors. Throws `prompt_invalid`. */
export function parseManifest(text: string, path: string): PromptManifest {
  const parsed = parseUniqueJson(text, (what, cause) => invalidPrompt(path, what, cause));
  return checkManifest(parsed, path);
}

/** Throws `prompt_invalid`. */
export function checkManifest(manifest: unknown, path: string): PromptManifest {
  if (!checker.Check(manifest)) throw invalidPrompt(path, firstFault(manifest));
  if (!isPromptVersion(manifest.version)) {
    throw invalidPrompt(path, `${quote(manifest.version)} is not a semantic version such as 1.0.0`);
  }
  try {
    canonicalJson(manifest);
  } catch (error) {
    throw invalidPrompt(path, toError(error).message, error);
  }
  return manifest;
}

/**
 * SHA-256 of the canonical JSON without the signature, as 64 hex digits: the version's identity, and what a signature signs. So signing a
 * version does not make another of it.
 */
export function manifestDigest(manifest: PromptManifest): string {
  return createHash('sha256').update(signedBytes(manifest)).digest('hex');
}

/** The canonical JSON without `signature`, as UTF-8. */
export function signedBytes(manifest: PromptManifest): Buffer {
  const { signature: _, ...content } = manifest;
  return Buffer.from(canonicalJson(content), 'utf8');
}

export function invalidPrompt(path: string, what: string, cause?: unknown): PreambleError {
  return new PreambleError('prompt_invalid', `${path} is not a valid prompt artifact: ${what}.`, {
    action: 'Make it again, or get a fresh copy.',
    cause,
  });
}

function firstFault(manifest: unknown): string {
  if (
    typeof manifest === 'object' &&
    manifest !== null &&
    'format' in manifest &&
    manifest.format !== MANIFEST_FORMAT
  ) {
    return `its format is ${quote(String(JSON.stringify(manifest.format)))}, this Preamble reads ${MANIFEST_FORMAT}`;
  }
  const [fault] = checker.Errors(manifest);
  if (fault === undefined) return 'its fields are wrong';
  const field = fault.instancePath === '' ? 'the whole' : quote(fault.instancePath.slice(1)).slice(1, -1);
  return fault.keyword === 'boolean' ? `the field ${field} is not known` : `${field} ${fault.message}`;
}
